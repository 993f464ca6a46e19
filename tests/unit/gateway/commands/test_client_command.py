"""`mydata client`: registering, listing and suspending, with plain refusals."""

from __future__ import annotations

import argparse
import json
import sqlite3
from pathlib import Path

import pytest
import yaml
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from consent.events import Event
from consent.ledger.entry import decode
from gateway.commands import client as command
from gateway.errors import Problem
from gateway.keys import create_keys
from tests.oauth_keys import es256
from tests.oauth_stage import document


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings of a gateway with keys and an empty SQLite database."""
    create_keys(tmp_path / "keys")
    engine = create_engine(f"sqlite:///{tmp_path / 'mydata.db'}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    settings = {
        "profile": "demo",
        "issuer": "http://127.0.0.1:8080",
        "database": f"sqlite+aiosqlite:///{tmp_path / 'mydata.db'}",
        "keys": str(tmp_path / "keys"),
        "registry": str(tmp_path / "registry.yaml"),
    }
    file = tmp_path / "gateway.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


def run(*arguments: str) -> int:
    """Run the group as the command line would."""
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    chosen = parser.parse_args(["client", *arguments])
    return int(chosen.run(chosen))


def test_add_list_suspend(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A client is registered from JSON, shown, and stopped."""
    file = tmp_path / "client.json"
    file.write_text(json.dumps(document("deundeun-budget", es256())))
    assert run("add", str(file), "--config", str(config)) == 0
    assert run("suspend", "deundeun-budget", "--config", str(config)) == 0
    assert run("list", "--config", str(config)) == 0
    assert "deundeun-budget  suspended" in capsys.readouterr().out
    with sqlite3.connect(config.parent / "mydata.db") as store:
        rows = store.execute("SELECT entry FROM ledger_outbox ORDER BY id").fetchall()
    store.close()
    assert [decode(row[0]).kind for row in rows] == [
        Event.CLIENT_REGISTRATION_REGISTERED,
        Event.CLIENT_REGISTRATION_SUSPENDED,
    ]


def test_the_same_id_twice_is_refused(config: Path, tmp_path: Path) -> None:
    """A second registration changes nothing and says so."""
    file = tmp_path / "client.yaml"
    file.write_text(yaml.safe_dump(document("deundeun-budget", es256())))
    assert run("add", str(file), "--config", str(config)) == 0
    with pytest.raises(Problem) as refused:
        run("add", str(file), "--config", str(config))
    assert refused.value.code == "client_exists"


def test_an_unknown_client_cannot_be_suspended(config: Path) -> None:
    """The refusal names the reason."""
    with pytest.raises(Problem) as refused:
        run("suspend", "nobody", "--config", str(config))
    assert refused.value.code == "client_unknown"


@pytest.mark.parametrize("text", ["{", "[1, 2]", "a: [", "\x00"])
def test_unreadable_documents_are_refused_in_words(
    config: Path, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback for a file that is not one object."""
    file = tmp_path / "client.yaml"
    file.write_text(text)
    assert run("add", str(file), "--config", str(config)) == 2
    assert "client.yaml" in capsys.readouterr().err
