"""`mydata bundle open` and `verify`: what a person reads, what is written, and the exit codes."""

from __future__ import annotations

import argparse
import json
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.commands import bundle
from tests.unit.gateway.bundles.story import Story, story

PART = "hanbit-bank.deposit-transactions.ndjson"


@dataclass(frozen=True)
class Desk:
    """A folder with a bundle and the keys for it."""

    folder: Path
    story: Story

    def run(self, *words: str) -> int:
        """Run `mydata bundle WORDS` in the folder; words naming a file there become its path."""
        parser = argparse.ArgumentParser()
        bundle.register(parser.add_subparsers())
        paths = [str(self.folder / word) if "." in word or word == "out" else word for word in words]
        chosen = parser.parse_args(["bundle", *paths])
        return int(chosen.run(chosen))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A sealed bundle on disk, beside its keys."""
    made = story()
    (tmp_path / "a.mdb").write_bytes(made.sealed.data)
    (tmp_path / "key.jwk").write_text(json.dumps(made.private_jwk))
    (tmp_path / "jwks.json").write_text(json.dumps(made.jwks))
    return Desk(tmp_path, made)


OPEN = ("open", "a.mdb", "--key", "key.jwk", "--issuer-keys", "jwks.json")


def test_open_prints_the_coverage_and_writes_the_parts(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked, sent, missing and why; the parts and the manifest readable by this user only."""
    assert desk.run(*OPEN, "--out", "out") == 0
    shown = capsys.readouterr().out
    assert "trans_type: not_consented" in shown
    assert "delete by 2027-02-20" in shown
    assert (desk.folder / "out" / PART).read_bytes() == desk.story.part.body
    assert json.loads((desk.folder / "out" / "manifest.json").read_text()) == desk.story.sealed.manifest
    for file in (desk.folder / "out").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_open_prints_one_json_object(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs: the verified manifest."""
    assert desk.run(*OPEN, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"verified": True, "manifest": desk.story.sealed.manifest, "written": []}


def test_verify_needs_no_private_key(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A regulator can check a bundle without being able to read it."""
    assert desk.run("verify", "a.mdb", "--issuer-keys", "jwks.json") == 0
    assert "hanbit-bank/finance.deposit-transactions" in capsys.readouterr().out


def test_fields_missing_for_one_reason_stand_together() -> None:
    """The table stays short: one reason, its article, and all fields it holds back."""
    why = {"reason": "periodic_to_general_recipient", "article": "Decree 42-5"}
    withheld = [{"field": "a", **why}, {"field": "b", "reason": "not_chosen"}, {"field": "c", **why}]
    scope = {"item": "h/d", "asked": ["a", "b", "c"], "sent": [], "withheld": withheld}
    rows = bundle.coverage({"scope": [scope], "sources": []})
    assert rows[1].endswith("a, c: periodic_to_general_recipient (Decree 42-5); b: not_chosen")
    assert "not pulled" in rows[1]


def test_a_changed_bundle_is_refused_and_nothing_written(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, the finding's code and words, no folder."""
    data = bytearray(desk.story.sealed.data)
    data[-1] ^= 1
    (desk.folder / "a.mdb").write_bytes(data)
    assert desk.run(*OPEN, "--out", "out") == 1
    assert "REFUSED bundle_part_changed" in capsys.readouterr().err
    assert not (desk.folder / "out").exists()
    assert desk.run(*OPEN, "--json") == 1
    assert json.loads(capsys.readouterr().out)["code"] == "bundle_part_changed"


def test_another_issuer_is_refused(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """The issuer can be pinned by name too."""
    assert desk.run(*OPEN, "--issuer", "https:other") == 1
    assert "bundle_wrong_issuer" in capsys.readouterr().err


def test_nothing_is_overwritten(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A second opening into the same folder changes nothing and says so."""
    assert desk.run(*OPEN, "--out", "out") == 0
    (desk.folder / "out" / PART).write_bytes(b"mine")
    assert desk.run(*OPEN, "--out", "out") == 2
    assert "already there" in capsys.readouterr().err
    assert (desk.folder / "out" / PART).read_bytes() == b"mine"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"keys": 1}', '{"keys": [], "keys": []}', "[" * 100_000])
def test_unreadable_keys_are_named(desk: Desk, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and the file's name, never a traceback."""
    (desk.folder / "jwks.json").write_text(text)
    assert desk.run(*OPEN) == 2
    assert "jwks.json: not a" in capsys.readouterr().err


def test_a_key_file_too_large_is_not_read(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Limits hold for what is given by hand too."""
    (desk.folder / "key.jwk").write_text(" " * 300_000)
    assert desk.run(*OPEN) == 2
    assert "larger than" in capsys.readouterr().err


def test_a_public_key_opens_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Giving the public half by mistake is explained."""
    public = {name: value for name, value in desk.story.private_jwk.items() if name != "d"}
    (desk.folder / "key.jwk").write_text(json.dumps(public))
    assert desk.run(*OPEN) == 1
    assert "must be a private OKP X25519 JWK" in capsys.readouterr().err
