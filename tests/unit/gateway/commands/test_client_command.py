"""`mydata client`: registering, listing and suspending, with plain refusals."""

from __future__ import annotations

import argparse
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

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


def kinds(config: Path) -> list[str]:
    """The kinds of the entries that are promised."""
    with closing(sqlite3.connect(config.parent / "mydata.db")) as store:
        rows = store.execute("SELECT entry FROM ledger_outbox ORDER BY id").fetchall()
    return [decode(row[0]).kind for row in rows]


def stored(config: Path) -> tuple[dict[str, Any], str]:
    """What is stored of the one client."""
    with closing(sqlite3.connect(config.parent / "mydata.db")) as store:
        text, status = store.execute("SELECT document, status FROM oauth_client").fetchone()
    return json.loads(text), status


@pytest.fixture
def registered(config: Path, tmp_path: Path) -> Path:
    """The settings of a gateway with one client."""
    file = tmp_path / "client.json"
    file.write_text(json.dumps(document("deundeun-budget", es256())))
    assert run("add", str(file), "--config", str(config)) == 0
    return config


def test_a_suspension_can_be_lifted(registered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The client is active again, and both steps stand in the ledger."""
    assert run("suspend", "deundeun-budget", "--config", str(registered)) == 0
    assert stored(registered)[1] == "suspended"
    assert run("resume", "deundeun-budget", "--config", str(registered)) == 0
    assert stored(registered)[1] == "active"
    assert "resumed deundeun-budget" in capsys.readouterr().out
    assert kinds(registered)[1:] == [
        Event.CLIENT_REGISTRATION_SUSPENDED,
        Event.CLIENT_REGISTRATION_RESUMED,
    ]


def test_a_client_gets_other_keys(registered: Path, tmp_path: Path) -> None:
    """Its document has the new keys and no other, and the ledger names them."""
    new = document("x", es256())["jwks"]
    (tmp_path / "jwks.json").write_text(json.dumps(new))
    given = ("--jwks", str(tmp_path / "jwks.json"), "--config", str(registered))
    assert run("keys", "deundeun-budget", *given) == 0
    assert stored(registered)[0]["jwks"] == new
    assert kinds(registered)[1:] == [Event.CLIENT_KEYS_CHANGED]


@pytest.mark.parametrize("spoil", ["private", "none", "twice"])
def test_keys_that_cannot_be_used_change_nothing(registered: Path, tmp_path: Path, spoil: str) -> None:
    """Private keys, none at all, and one name for two are refused; the client keeps what it has."""
    before, new = stored(registered), document("x", es256())["jwks"]
    if spoil == "private":
        new["keys"][0]["d"] = "AAAA"
    elif spoil == "none":
        new["keys"] = []
    else:
        new["keys"].append({**es256().jwk, "kid": "k0", "use": "sig"})
    (tmp_path / "jwks.json").write_text(json.dumps(new))
    with pytest.raises(Problem) as refused:
        run("keys", "deundeun-budget", "--jwks", str(tmp_path / "jwks.json"), "--config", str(registered))
    assert refused.value.code == "client_document_invalid"
    assert stored(registered) == before


def test_keys_are_fetched_before_anything_changes(registered: Path) -> None:
    """An address nobody answers at is refused with what is wrong; the client keeps what it has."""
    before = stored(registered)
    with pytest.raises(Problem) as refused:
        run("keys", "deundeun-budget", "--jwks-uri", "https://127.0.0.1:1/jwks", "--config", str(registered))
    assert refused.value.code == "client_keys_unreadable"
    assert stored(registered) == before
    assert kinds(registered) == [Event.CLIENT_REGISTRATION_REGISTERED]


@pytest.mark.parametrize("verb", ["suspend", "resume"])
def test_nobody_is_not_changed(config: Path, verb: str) -> None:
    """An unknown client is named as such."""
    with pytest.raises(Problem) as refused:
        run(verb, "nobody", "--config", str(config))
    assert refused.value.code == "client_unknown"


def test_a_client_with_a_certificate_is_told_when_nobody_asks_for_one(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is registered, and the operator learns what is missing for it to come in."""
    made = {
        **document("deundeun-budget", es256()),
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_dns": "deundeun.example",
    }
    (tmp_path / "client.json").write_text(json.dumps(made))
    assert run("add", str(tmp_path / "client.json"), "--config", str(config)) == 0
    assert "mtls_origin" in capsys.readouterr().out


def test_keys_stand_inline_or_are_published(config: Path, tmp_path: Path) -> None:
    """Both at once, or neither, is no registration."""
    made = document("deundeun-budget", es256())
    neither = {name: value for name, value in made.items() if name != "jwks"}
    for wrong in ({**made, "jwks_uri": "https://a.example/jwks"}, neither):
        (tmp_path / "client.json").write_text(json.dumps(wrong))
        with pytest.raises(Problem) as refused:
            run("add", str(tmp_path / "client.json"), "--config", str(config))
        assert refused.value.code == "client_document_invalid"
