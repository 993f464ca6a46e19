"""Every command given something it cannot use: one line, exit code 2, no traceback, nothing changed."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.ledger.checkpoint import vkey
from consent.ledger.verify.report import FINDINGS
from gateway.cli import main
from gateway.keys import create_keys

REGISTRY = {
    "operator": {"role": "sandbox", "code": "gw", "name": {"ko": "가", "en": "A"}, "contact": "a@b.example"},
    "identity": {"issuer": "https://id.example", "client_id": "gw", "name": {"ko": "나", "en": "B"}},
    "holders": [],
    "consortia": [],
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's folder: keys, registry, settings; the current folder, with a database migrated."""
    monkeypatch.chdir(tmp_path)
    create_keys(tmp_path / "keys")
    (tmp_path / "registry.yaml").write_text(yaml.safe_dump(REGISTRY))
    settings(tmp_path)
    assert main(["migrate", "--config", "gateway.yaml"]) == 0
    return tmp_path


def settings(folder: Path, **changed: str) -> None:
    """Write gateway.yaml with some settings changed."""
    usual = {
        "profile": "demo",
        "issuer": "https://gateway.example",
        "database": f"sqlite+aiosqlite:///{folder / 'mydata.db'}",
        "keys": "keys",
        "registry": "registry.yaml",
    }
    (folder / "gateway.yaml").write_text(yaml.safe_dump({**usual, **changed}))


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the command wrote to standard error; it must have refused with exit code 2."""
    capsys.readouterr()
    assert main(words) == 2
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    assert told.out == ""
    return told.err


COMMANDS = (
    ("serve", "--port", "0"),
    ("migrate",),
    ("client", "list"),
    ("client", "suspend", "someone"),
    ("ledger", "export", "out"),
    ("ledger", "trail", "s-1", "--out", "t.json"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_settings_that_are_not_there(
    words: tuple[str, ...], desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is named."""
    assert "MYDATA.S010 nope.yaml" in said(capsys, *words, "--config", "nope.yaml")
    assert sorted(p.name for p in desk.iterdir()) == ["gateway.yaml", "keys", "mydata.db", "registry.yaml"]


def test_settings_that_are_no_yaml_name_the_place(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the reader stopped: line and column."""
    (desk / "gateway.yaml").write_text("profile: demo\nissuer: [1\nkeys: x\n")
    assert "look at line 3" in said(capsys, "serve", "--config", "gateway.yaml")


@pytest.mark.parametrize("words", [w for w in COMMANDS if w[0] != "migrate"], ids=" ".join)
def test_a_database_that_is_not_there_is_not_made(
    words: tuple[str, ...], desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped name is told as what it is; no empty file is left behind."""
    settings(desk, database=f"sqlite+aiosqlite:///{desk / 'other.db'}")
    assert said(capsys, *words, "--config", "gateway.yaml").startswith("database_not_migrated: ")
    assert not (desk / "other.db").exists()


@pytest.mark.parametrize("words", [w for w in COMMANDS if w[0] != "migrate"], ids=" ".join)
def test_a_database_that_was_never_migrated(
    words: tuple[str, ...], desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What to run is said."""
    for file in desk.glob("mydata.db*"):
        file.unlink()
    (desk / "mydata.db").touch()
    assert "mydata migrate" in said(capsys, *words, "--config", "gateway.yaml")


def test_a_database_of_another_version(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither served nor migrated; the revision found is named."""
    with sqlite3.connect(desk / "mydata.db") as database:
        database.execute("update alembic_version set version_num = '9999'")
    database.close()
    assert "at revision 9999" in said(capsys, "serve", "--port", "0", "--config", "gateway.yaml")
    assert "another version of the gateway" in said(capsys, "migrate", "--config", "gateway.yaml")


def test_a_database_nobody_answers_for(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store that cannot be reached is a refusal in words, from every command."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings(desk, database=f"postgresql+asyncpg://mydata@127.0.0.1:{free.getsockname()[1]}/mydata")
        for words in (("migrate",), ("client", "list"), ("serve", "--port", "0")):
            assert said(capsys, *words, "--config", "gateway.yaml").startswith("storage_unavailable: ")


def test_a_database_folder_that_is_not_there(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file that cannot be made is named."""
    settings(desk, database=f"sqlite+aiosqlite:///{desk / 'no' / 'mydata.db'}")
    assert "no/mydata.db: this database file cannot be made" in said(
        capsys, "migrate", "--config", "gateway.yaml"
    )


def test_the_database_is_readable_by_its_user_only(desk: Path) -> None:
    """Whoever else has an account on the machine reads nothing of it."""
    assert (desk / "mydata.db").stat().st_mode & 0o077 == 0


def test_keys_that_are_missing_or_exposed(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Named by file, with what to do; an export is not begun without them."""
    serve = ("serve", "--port", "0", "--config", "gateway.yaml")
    (desk / "keys" / "identity.key").chmod(0o644)
    assert "keys_exposed: keys/identity.key" in said(capsys, *serve)
    (desk / "keys" / "signing.pem").unlink()
    assert "keys_missing: keys/signing.pem" in said(capsys, *serve)
    assert "mydata keys init" in said(capsys, "ledger", "export", "out", "--config", "gateway.yaml")
    assert not (desk / "out").exists()


def test_folders_that_are_files(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever a folder is asked for, a file is told from one; a verifier says what it is not."""
    expected = "mydata: gateway.yaml: is a file, not a folder\n"
    assert said(capsys, "keys", "init", "gateway.yaml") == expected
    assert said(capsys, "ledger", "export", "gateway.yaml", "--config", "gateway.yaml") == expected
    assert said(capsys, "demo", "--out", "gateway.yaml") == expected
    key = vkey("gateway.example/ledger", Ed25519PrivateKey.generate().public_key())
    assert main(("ledger", "verify", "gateway.yaml", "--key", key)) == FINDINGS["source_unreadable"]
    assert "gateway.yaml: neither a folder nor a whole tar archive" in capsys.readouterr().out


def test_the_demo_writes_over_nothing_of_yours(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with anything else than an earlier demo in it is left alone."""
    assert "name a new folder" in said(capsys, "demo", "--out", str(desk))
    assert (desk / "gateway.yaml").exists()


def test_a_policy_question_that_is_none(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The code and where it stopped being JSON."""
    assert said(capsys, "policy", "decide", "gateway.yaml").startswith("policy_question_invalid: ")
    assert said(capsys, "policy", "bundle", "no/where.tar.gz").startswith("mydata: no/where.tar.gz: ")


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """A stranger who types `mydata` alone sees what there is."""
    assert "start here" in said(capsys)
