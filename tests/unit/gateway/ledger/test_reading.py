"""The regulator's door: scoped, searchable, verifiable, and every look is in the ledger."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.ledger.verify import Trust, verify
from consent.ledger.verify.source import Address
from consent.ledger_tables import INDEX
from consent.subjects import SUBJECT, SubjectError
from gateway.cli import main
from gateway.errors import Problem
from gateway.keys import create_keys
from gateway.ledger import export, index, repository, routes, trail
from gateway.ledger.openings import opening
from gateway.ledger.readers import Readers, load_readers
from gateway.ledger.reading import Reading, reading_routes
from gateway.responses import problem_response
from gateway.settings import SettingsError
from tests.serving import listening, origin_of, serving
from tests.unit.gateway.ledger.conftest import AT, Ledger

FILE = """
readers:
  - {id: fsc, name: 금융위원회, token_sha256: %s, may: [entries, search, citizens, open]}
  - {id: mirror, name: Bank A, token_sha256: %s, may: [entries]}
"""


def readers(folder: Path) -> Readers:
    """The regulator (token `all`) and a mirror (token `copy`)."""
    file = folder / "readers.yaml"
    file.write_text(FILE % tuple(hashlib.sha256(t).hexdigest() for t in (b"all", b"copy")))
    return load_readers(file)


def door(ledger: Ledger, folder: Path) -> FastAPI:
    """The log's doors with readers admitted."""
    reading = Reading(ledger.log, ledger.journal, readers(folder), ledger.clock)
    ledger.log.doors = reading_routes(reading)
    app = FastAPI(routes=routes(ledger.log))

    async def told(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return problem_response(error, "en")

    app.add_exception_handler(Problem, told)
    return app


class Asker:
    """A reader with a token."""

    def __init__(self, app: FastAPI, token: str | None = "all") -> None:  # noqa: S107
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """Ask."""
        return await self.client.get(path, params=query)

    async def open(self, *indexes: int, case: str = "2026-71") -> httpx.Response:
        """Ask for an opening."""
        return await self.client.post("/ledger/openings", json={"case": case, "indexes": list(indexes)})


async def looks(ledger: Ledger) -> list[tuple[str, str]]:
    """Kind and party of every look in the log."""
    await ledger.log.integrate_now()
    async with ledger.database.reading() as session:
        found = await index.search(session, index.Query(after=9, limit=1000), 1000)
    return [(row.kind, row.party) for row in found]


@pytest.fixture
async def filled(ledger: Ledger) -> Ledger:
    """Ten entries: seven of nobody, three of one citizen, an hour later."""
    await ledger.append(7)
    ledger.clock.now = AT + 3600
    await ledger.append(3, await ledger.citizen())
    await ledger.log.integrate_now()
    return ledger


async def test_entries_are_found_and_every_search_is_logged(filled: Ledger, tmp_path: Path) -> None:
    """By kind, party and time, with a limit and where to go on; the ledger says who looked for what."""
    asker = Asker(door(filled, tmp_path))
    late = (await asker.get("/ledger/entries", since=AT + 3600)).json()
    page = (await asker.get("/ledger/entries", party="nuri-telecom", limit=2, after=6)).json()
    none = (await asker.get("/ledger/entries", kind="token:access:issued", until=AT)).json()

    assert [entry["index"] for entry in late["entries"]] == [7, 8, 9]
    assert [entry["index"] for entry in page["entries"]] == [7, 8]
    assert (page["size"], none["entries"]) == (10, [])
    assert await looks(filled) == [("ledger:entries:searched", "fsc")] * 3


async def test_an_opening_verifies_and_shows_in_the_citizens_trail(filled: Ledger, tmp_path: Path) -> None:
    """What was opened can be checked offline; the citizen sees entry, case and who looked."""
    answer = await Asker(door(filled, tmp_path)).open(2, 8)
    report = verify(None, filled.log.vkey, None, answer.content)
    await filled.log.integrate_now()
    async with filled.database.reading() as session:
        row = (await repository.openings(session, await _citizen(filled), 100))[-1]
        own = json.loads(await trail(session, filled.keys, await _citizen(filled)))

    assert (report.findings, report.events, report.chained) == ([], 2, False)
    assert [e["payload"]["body"] for e in answer.json()["events"]] == [{"i": 2}, {"i": 1}]
    assert row.n == 4
    assert own["events"][-1]["payload"]["body"] == {"index": 8, "case": "2026-71"}
    assert await looks(filled) == [("ledger:entry:opened", "fsc")] * 2


async def test_an_opening_waits_in_no_circle(filled: Ledger, tmp_path: Path) -> None:
    """Citizens' rows are taken by their ids, as every batch takes them, not as entries are named."""
    first, second = sorted([await filled.citizen(), await filled.citizen()])
    await filled.append(1, second)
    await filled.append(1, first)
    await filled.log.integrate_now()
    asker, held = Asker(door(filled, tmp_path)), asyncio.Event()

    async def asked() -> httpx.Response:
        await held.wait()
        return await asker.open(10, 11)

    opening_both = asyncio.create_task(asked())
    async with filled.database.transaction() as session:
        await _row(session, first)
        held.set()
        await asyncio.sleep(0.3)
        async with asyncio.timeout(0.5):
            await _row(session, second)

    assert (await opening_both).status_code == 200


async def _row(session: AsyncSession, subject: str) -> None:
    await session.execute(select(SUBJECT.c.id).where(SUBJECT.c.id == subject).with_for_update())


async def _citizen(ledger: Ledger) -> Any:
    async with ledger.database.reading() as session:
        return next(iter((await opening(session, ledger.keys, [8])).subjects.values()))


async def test_a_changed_opening_is_refused(filled: Ledger, tmp_path: Path) -> None:
    """Another payload, a moved event, or a plain event told as a citizen's: none verifies."""
    answer = await Asker(door(filled, tmp_path)).open(2, 8)
    for change in (b'"i":2', b'"index":2'):
        changed = answer.content.replace(change, change[:-1] + b"5")
        assert changed != answer.content
        assert verify(None, filled.log.vkey, None, changed).findings


async def test_a_mirror_reads_entries_and_nothing_else(filled: Ledger, tmp_path: Path) -> None:
    """Over http, with its token, the whole log verifies; search and opening are refused; looks count once."""
    app, bound = door(filled, tmp_path), listening()
    async with serving(app, [bound]):
        source = Address(f"{origin_of(bound)}/ledger", "copy")
        report = await asyncio.to_thread(verify, source, Trust.of([filled.log.vkey]))
    mirror = Asker(app, "copy")
    refused = [await mirror.get("/ledger/entries"), await mirror.open(1)]

    assert (report.findings, report.size, sum(report.kinds.values())) == ([], 10, 10)
    assert [answer.json()["code"] for answer in refused] == ["reader_scope"] * 2
    assert await looks(filled) == [("ledger:entries:copied", "mirror")]


async def test_the_commands_ask_and_the_answer_verifies(
    filled: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """search, open and verify from the command line, over http; a wrong token ends with 2 and is told."""
    (tmp_path / "token").write_text("all\n")
    (tmp_path / "wrong").write_text("none")
    out, bound = tmp_path / "opened.json", listening()
    place, key = f"{origin_of(bound)}/ledger", filled.log.vkey
    async with serving(door(filled, tmp_path), [bound]):

        async def mydata(*words: str | Path) -> int:
            return await asyncio.to_thread(main, ["ledger", *map(str, words)])

        token = ("--token", tmp_path / "token")
        assert await mydata("search", place, *token, "--party", "nuri-telecom", "--after", "6") == 0
        assert await mydata("open", place, *token, "--case", "c 7", "--out", out, "2", "8") == 0
        await filled.log.integrate_now()
        assert await mydata("verify", place, *token, "--key", key, "--trail", out) == 0
        citizen = await _citizen(filled)
        assert await mydata("search", place, *token, "--citizen", citizen, "--case", "c 7") == 0
        assert await mydata("search", place, *token, "--citizen", citizen) == 2
        assert await mydata("search", place, "--token", tmp_path / "wrong") == 2
        assert await mydata("search", "http://gateway.test/ledger", *token) == 2
    said = capsys.readouterr()

    assert "3 found among 10 entries" in said.out
    assert "4 found among 13 entries" in said.out
    assert "opening: 2 events opened, all in the log" in said.out
    assert "reader_unknown" in said.err
    assert "https address only" in said.err


async def test_a_citizens_entries_are_found_and_the_citizen_sees_who_looked(
    filled: Ledger, tmp_path: Path
) -> None:
    """By record id, with kind and limit; their own trail shows each look and its case."""
    asker, citizen = Asker(door(filled, tmp_path)), await _citizen(filled)
    named = {"citizen": citizen, "case": "2026-71"}
    all_ = (await asker.client.post("/ledger/citizens", json=named)).json()
    page = (await asker.client.post("/ledger/citizens", json={**named, "after": 7, "limit": 1})).json()
    none = (await asker.client.post("/ledger/citizens", json={**named, "kind": "a:b:c"})).json()
    await filled.log.integrate_now()
    async with filled.database.reading() as session:
        own = json.loads(await trail(session, filled.keys, citizen))["events"]

    assert [entry["index"] for entry in all_["entries"]] == [7, 8, 9]
    assert ([entry["index"] for entry in page["entries"]], none["entries"]) == ([8], [])
    assert [event["payload"]["event"] for event in own[3:]] == ["ledger:entries:searched"] * 3
    assert own[3]["payload"]["body"]["case"] == "2026-71"
    assert own[3]["payload"]["body"]["found"] == 3


async def test_nobody_and_a_forgotten_citizen_are_answered_alike(filled: Ledger, tmp_path: Path) -> None:
    """No entry is found for either, nothing tells them apart, and both looks are in the log."""
    asker, citizen = Asker(door(filled, tmp_path)), await _citizen(filled)
    async with filled.database.transaction() as session:
        await filled.journal.forget(session, citizen, party="gateway", at=AT)
    answers = [
        await asker.client.post("/ledger/citizens", json={"citizen": name, "case": "x"})
        for name in (citizen, "s-" + "0" * 32, "c-" + "0" * 30)
    ]

    assert [(answer.status_code, answer.json()["entries"]) for answer in answers] == [(200, [])] * 3
    assert [kind for kind, _ in await looks(filled)][1:] == ["ledger:entries:searched"] * 3


@pytest.mark.parametrize(
    "asked",
    [
        {"citizen": "s-1"},
        {"case": "x"},
        {"citizen": "kim@example.kr", "case": "x"},
        {"citizen": 5, "case": "x"},
        {"citizen": "s-1", "case": ""},
        {"citizen": "s-1", "case": "x", "limit": 0},
        {"citizen": "s-1", "case": "x", "limit": True},
        {"citizen": "s-1", "case": "x", "who": "me"},
        {"citizen": "s-1", "case": "x", "kind": ["a"]},
        [],
    ],
)
async def test_a_malformed_look_for_a_citizen_is_refused(
    filled: Ledger, tmp_path: Path, asked: object
) -> None:
    """Without citizen or case, with other names or values: refused, and nothing is entered."""
    answer = await Asker(door(filled, tmp_path)).client.post("/ledger/citizens", json=asked)

    assert answer.json()["code"] == "invalid_request"
    assert await looks(filled) == []


async def test_who_may_search_may_not_search_for_a_citizen(filled: Ledger, tmp_path: Path) -> None:
    """That is a scope of its own: a mirror is refused, a stranger too."""
    app = door(filled, tmp_path)
    asked = {"citizen": "s-1", "case": "x"}
    answers = [
        await Asker(app, token).client.post("/ledger/citizens", json=asked) for token in ("copy", None)
    ]

    assert [answer.json()["code"] for answer in answers] == ["reader_scope", "reader_unknown"]
    assert await looks(filled) == []


async def test_strangers_see_nothing(filled: Ledger, tmp_path: Path) -> None:
    """Without a token or with a wrong one every door is shut, and no look is entered."""
    app = door(filled, tmp_path)
    for token in (None, "", "wrong", "copy "):
        asker = Asker(app, token)
        answers = [
            *(await asker.get("/ledger/entries"), await asker.open(1)),
            await asker.get("/ledger/tile/entries/000.p/10"),
        ]
        assert [answer.status_code for answer in answers] == [401] * 3
    assert await looks(filled) == []


@pytest.mark.parametrize(
    "query",
    [
        {"since": "x"},
        {"limit": "-1"},
        {"limit": "0"},
        {"who": "me"},
        {"after": str(1 << 50)},
        {"since": "1.5"},
    ],
)
async def test_a_malformed_search_is_refused(filled: Ledger, tmp_path: Path, query: dict[str, str]) -> None:
    """Unknown names and values that are no numbers are refused, and nothing is entered."""
    answer = await Asker(door(filled, tmp_path)).get("/ledger/entries", **query)
    assert answer.json()["code"] == "invalid_request"
    assert await looks(filled) == []


async def test_what_cannot_be_opened_is_refused(filled: Ledger, tmp_path: Path) -> None:
    """Beyond the log, of an erased citizen, without a case or too many: refused, and nobody's trail grows."""
    asker = Asker(door(filled, tmp_path))
    assert (await asker.open(10)).json()["code"] == "not_found"
    for body in (b"{}", b"[", b'{"case":"x","indexes":[true]}', b'{"case":"","indexes":[1]}', b"x" * 20_000):
        answer = await asker.client.post("/ledger/openings", content=body)
        assert answer.status_code in {400, 413}
    citizen = await _citizen(filled)
    async with filled.database.transaction() as session:
        await filled.journal.forget(session, citizen, party="gateway", at=AT)
    assert (await asker.open(8)).json()["code"] == "not_found"
    with pytest.raises(SubjectError):
        async with filled.database.reading() as session:
            await trail(session, filled.keys, citizen)


async def test_the_index_is_compared_and_rebuilt(
    filled: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Changed, missing and invented rows are named by position, by `verify --index`, too; a rebuild mends."""
    create_keys(tmp_path / "keys")
    command = ["ledger", "index", "--config", str(filled.config(tmp_path, tmp_path / "keys"))]
    assert await asyncio.to_thread(main, command) == 0
    async with filled.database.reading() as session:
        await export(session, tmp_path / "out")
    async with filled.database.transaction() as session:
        await session.execute(update(INDEX).where(INDEX.c.position == 4).values(party="somebody-else"))
        await session.execute(INDEX.delete().where(INDEX.c.position == 6))
        await session.execute(INDEX.insert().values(position=99, at=1, kind="a:b:c", party="x"))
    assert await asyncio.to_thread(main, command) == 1
    said = capsys.readouterr().out
    verifying = [
        "ledger",
        "verify",
        str(tmp_path / "out"),
        "--key",
        filled.log.vkey,
        *("--index", command[-1]),
    ]
    assert await asyncio.to_thread(main, verifying) == 1
    assert await asyncio.to_thread(main, [*command, "--rebuild"]) == 0
    assert await asyncio.to_thread(main, verifying) == 0
    assert await asyncio.to_thread(main, command) == 0

    assert [f"entry {n}\n" in said for n in (4, 6, 99, 5)] == [True, True, True, False]


@pytest.mark.parametrize(
    "text",
    [
        *("", "readers: 5", FILE % ("0" * 64, "0" * 64), FILE % ("0" * 64, "x")),
        (FILE % ("0" * 64, "1" * 64)).replace("mirror", "fsc"),
        (FILE % ("0" * 64, "1" * 64)).replace("[entries]", "[everything]"),
    ],
)
def test_accounts_that_are_none_do_not_start(text: str, tmp_path: Path) -> None:
    """Repeated ids or tokens, unknown scopes, no hash: refused at the start."""
    (tmp_path / "readers.yaml").write_text(text)
    with pytest.raises(SettingsError, match=r"MYDATA\.L01"):
        load_readers(tmp_path / "readers.yaml")
