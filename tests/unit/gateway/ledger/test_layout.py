"""The public log from gateway, folder and store of objects: the same bytes, the same answer."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from consent.ledger.verify import main as verify
from gateway.cli import main
from gateway.ledger.layout import served
from tests.file_server import Files, answering
from tests.unit.gateway.ledger.conftest import Ledger
from tests.unit.gateway.ledger.test_ledger_command import config as config  # the fixture
from tests.unit.gateway.ledger.test_ledger_command import mydata
from tests.unit.gateway.ledger.test_ledger_routes import client

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Bucket(BaseHTTPRequestHandler):
    """A store of objects: each has a name, a type, a caching and bytes."""

    def __init__(self, objects: dict[str, tuple[str, str, bytes]], *more: Any) -> None:
        """Serve `objects`."""
        self.objects = objects
        super().__init__(*more)

    def do_GET(self) -> None:
        """Answer with an object as it was put, or not at all."""
        if (found := self.objects.get(self.path.removeprefix("/"))) is None:
            self.send_error(404)
            return
        self.send_response(200)
        for name, value in zip(("Content-Type", "Cache-Control"), found[:2], strict=True):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(found[2])))
        self.end_headers()
        self.wfile.write(found[2])

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def put(folder: Path) -> dict[str, tuple[str, str, bytes]]:
    """What an operator does with a public export: each file into a store, in the order of the list."""
    listed = json.loads((folder / "objects.json").read_bytes())["objects"]
    return {
        one["path"]: (one["content_type"], one["cache_control"], (folder / "log" / one["path"]).read_bytes())
        for one in listed
    }


@pytest.fixture
async def public(config: Path, ledger: Ledger, tmp_path: Path) -> Path:
    """A public export of a log of several tiles that says something of itself."""
    await ledger.append(600)
    await ledger.log.integrate_now()
    assert await mydata("ledger", "census", "--config", config) == 0
    await ledger.log.integrate_now()
    assert await mydata("ledger", "export", tmp_path / "out", "--config", config, "--public") == 0
    return tmp_path / "out"


async def test_a_store_answers_as_the_gateway_does(public: Path, ledger: Ledger) -> None:
    """Every file of the public log: same bytes, type and caching from both."""
    objects = put(public)
    async with client(ledger) as http:
        answers = {path: await http.get(f"/ledger/{path}") for path in objects}

    assert {path.partition("/")[0] for path in objects} == {"checkpoint", "statements", "tile"}
    for path, answer in answers.items():
        headers = (answer.headers["content-type"], answer.headers["cache-control"])
        assert (*headers, answer.content) == objects[path]


def test_entries_are_in_no_public_export(public: Path) -> None:
    """They are for mirrors and regulators, who are known; the list names every file and no other."""
    log = public / "log"
    files = {file.relative_to(log).as_posix() for file in log.rglob("*") if file.is_file()}
    listed = json.loads((public / "objects.json").read_bytes())["objects"]

    assert {one["path"] for one in listed} == files
    assert not [path for path in files if path.startswith("tile/entries/")]
    assert served("tile/entries/000").cache == "no-store"
    with pytest.raises(KeyError):
        served("notes.txt")
    for one in listed:
        assert hashlib.sha256((log / one["path"]).read_bytes()).hexdigest() == one["sha256"]


def test_a_checkpoint_is_put_after_all_it_speaks_of(public: Path) -> None:
    """Who reads while a store is filled never sees a checkpoint whose tiles are missing."""
    assert [*put(public)][-2:] == ["statements", "checkpoint"]


def test_the_verifier_finds_the_same_at_every_place(
    public: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files, file server and store of objects: one report, without a finding."""
    reports = []
    with (
        answering(partial(Files, directory=public / "log")) as files,
        answering(partial(Bucket, put(public))) as store,
    ):
        for place in (str(public / "log"), files, store):
            assert verify([place, "--key", ledger.log.vkey, "--hashes-only", "--json"]) == 0
            reports.append(json.loads(capsys.readouterr().out))

    assert reports[0]["ok"]
    assert reports[0] == reports[1] == reports[2]


def test_a_lost_object_is_found(public: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    """A store that lost a tile is no smaller log."""
    objects = put(public)
    del objects["tile/0/001"]
    with answering(partial(Bucket, objects)) as store:
        assert verify([store, "--key", ledger.log.vkey, "--hashes-only"]) != 0

    assert "tile/0/001" in capsys.readouterr().out


async def test_what_a_public_export_prints_verifies(
    public: Path, capsys: pytest.CaptureFixture[str], ledger: Ledger, tmp_path: Path
) -> None:
    """The printed command is the one that verifies what is served."""
    capsys.readouterr()
    assert (
        await mydata(
            "ledger", "export", tmp_path / "again", "--config", tmp_path / "gateway.yaml", "--public"
        )
        == 0
    )
    said = capsys.readouterr().out
    words = said.partition("verify with: mydata ")[2].split()

    assert "objects.json" in said
    assert main(words) == 0
    assert words[-1] == "--hashes-only"
