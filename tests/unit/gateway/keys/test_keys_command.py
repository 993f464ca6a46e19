"""`mydata keys list | rotate | retire`: what is said, what changes, what the ledger learns."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from consent.events import Event
from consent.ledger.entry import decode
from gateway import cli
from gateway.keys import KeysError, load_keys


def run(*arguments: str) -> int:
    """Run the group as the command line would."""
    chosen = cli.parsed(["keys", *arguments], cli.parser())
    return int(chosen.run(chosen))


def kinds(settings_file: Path) -> list[str]:
    """The kinds of the entries that are promised."""
    with closing(sqlite3.connect(settings_file.parent / "mydata.db")) as store:
        rows = store.execute("SELECT entry FROM ledger_outbox ORDER BY id").fetchall()
    return [decode(row[0]).kind for row in rows]


def test_init_makes_a_key_of_each_algorithm(tmp_path: Path) -> None:
    """ES256, PS256 and Ed25519; only the first with --only-es256."""
    assert run("init", str(tmp_path / "all")) == 0
    assert load_keys(tmp_path / "all").signing.algorithms == ("ES256", "PS256", "EdDSA", "Ed25519")
    assert run("init", str(tmp_path / "one"), "--only-es256") == 0
    assert load_keys(tmp_path / "one").signing.algorithms == ("ES256",)


def test_rotate_and_list(settings_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The next key is announced, shown, and in the ledger once."""
    assert run("rotate", "--config", str(settings_file)) == 0
    kid = capsys.readouterr().out.split()[0]
    assert run("list", "--config", str(settings_file)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["active", "announced"]
    assert lines[1].startswith(kid)
    assert kinds(settings_file) == [Event.KEY_SIGNING_ANNOUNCED]


def test_an_older_folder_gets_another_algorithm(settings_file: Path) -> None:
    """The first key of an algorithm signs at once: there is none to follow."""
    assert run("rotate", "--alg", "EdDSA", "--config", str(settings_file)) == 0
    assert load_keys(settings_file.parent / "keys").signing.algorithms == ("ES256", "EdDSA", "Ed25519")


def test_retire(settings_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The key is out at once, another signs, both stand in the ledger; a second time nothing more happens."""
    keys = settings_file.parent / "keys"
    kid = load_keys(keys).signing.current.kid
    assert run("retire", kid, "--now", "--config", str(settings_file)) == 0
    assert "signs instead" in capsys.readouterr().out
    assert load_keys(keys).signing.current.kid != kid
    assert sorted(kinds(settings_file)) == [Event.KEY_SIGNING_ANNOUNCED, Event.KEY_SIGNING_REVOKED]
    assert run("retire", kid, "--now", "--config", str(settings_file)) == 0
    assert len(kinds(settings_file)) == 2


def test_retire_needs_the_word_now(settings_file: Path) -> None:
    """Nobody ends every token by a slip."""
    with pytest.raises(SystemExit):
        run("retire", "x", "--config", str(settings_file))


def test_an_unknown_key_is_named(settings_file: Path) -> None:
    """Nothing changes and nothing is entered."""
    with pytest.raises(KeysError) as refused:
        run("retire", "nobody", "--now", "--config", str(settings_file))
    assert refused.value.code == "keys_unknown"
    assert kinds(settings_file) == []


def test_a_name_that_begins_with_a_dash_is_a_name(settings_file: Path) -> None:
    """One thumbprint in sixty-four begins so; it is looked for, not taken for an option."""
    with pytest.raises(KeysError) as refused:
        run("retire", "-" + "x" * 42, "--now", "--config", str(settings_file))
    assert refused.value.code == "keys_unknown"


def test_a_ledger_that_cannot_be_told_is_told_later(settings_file: Path) -> None:
    """The key stands although the store was away; the next command enters what is missing, once."""
    store, away = settings_file.parent / "mydata.db", settings_file.parent / "away.db"
    store.rename(away)
    with pytest.raises(Exception, match="database_not_migrated"):
        run("rotate", "--config", str(settings_file))
    away.rename(store)
    assert kinds(settings_file) == []
    assert run("rotate", "--config", str(settings_file)) == 0
    assert kinds(settings_file) == [Event.KEY_SIGNING_ANNOUNCED] * 2
