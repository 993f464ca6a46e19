"""A census: a trail is shown complete, and holding back its last event is found."""

from __future__ import annotations

import asyncio
import base64
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from consent.canonical import canonical
from consent.events import Event
from consent.journal import Journal
from consent.ledger import proof
from consent.ledger.census import ERASED, Census, Member, join
from consent.ledger.errors import LedgerFormatError
from consent.ledger.tree import leaf_hash
from consent.ledger.verify import verify
from consent.ledger_tables import CENSUS
from consent.subjects import SubjectId, SubjectKeys
from gateway.cli import main
from gateway.errors import Problem
from gateway.keys import create_keys, load_keys
from gateway.ledger import Log, export, repository, trail
from gateway.ledger.census import take
from gateway.ledger.statements import state
from tests.unit.gateway.ledger.conftest import ORIGIN, Ledger


async def counted(ledger: Ledger, sizes: tuple[int, ...] = (3, 5, 1)) -> list[SubjectId]:
    """Citizens with that many events each, seven events of nobody, a census, all published."""
    citizens = [await ledger.citizen() for _ in sizes]
    await ledger.append(7)
    for citizen, size in zip(citizens, sizes, strict=True):
        await ledger.append(size, citizen)
    await ledger.log.integrate_now()
    await take(ledger.database, ledger.journal, at=ledger.clock.now)
    await ledger.log.integrate_now()
    return citizens


async def trail_of(ledger: Ledger, subject: SubjectId) -> bytes:
    """The trail of `subject`."""
    async with ledger.database.reading() as session:
        return await trail(session, ledger.keys, subject)


async def exported(ledger: Ledger, folder: Path) -> Path:
    """What an auditor gets."""
    async with ledger.database.reading() as session:
        await export(session, folder)
    return folder


async def test_a_trail_is_shown_complete(ledger: Ledger, tmp_path: Path) -> None:
    """Alone it agrees with the census in the log; with the entries the total is counted, too."""
    citizens = await counted(ledger)
    folder = await exported(ledger, tmp_path / "out")
    for citizen, size in zip(citizens, (3, 5, 1), strict=True):
        data = await trail_of(ledger, citizen)
        alone, whole = verify(None, ledger.log.vkey, None, data), verify(folder, ledger.log.vkey, None, data)
        assert (alone.findings, whole.findings, alone.events) == ([], [], size)
        assert (alone.counted, alone.checks()["census"], alone.checks()["sum"]) == (16, "held", "not checked")
        assert whole.checks()["sum"] == "held"
        assert "no other event of this person" in alone.as_text()


async def test_holding_back_the_last_event_is_found(ledger: Ledger) -> None:
    """What no earlier check could see: the newest event left out of a trail."""
    citizen = (await counted(ledger))[1]
    told = json.loads(await trail_of(ledger, citizen))
    told["events"].pop()

    assert _codes(ledger, told) == ["trail_held_back"]
    del told["census"]
    assert _codes(ledger, told) == []


async def test_a_census_made_to_fit_is_found_by_its_sum(ledger: Ledger, tmp_path: Path) -> None:
    """An operator who counts one event less for a citizen cannot make the total fit the entries."""
    citizen = (await counted(ledger))[0]
    told = json.loads(await trail_of(ledger, citizen))
    async with ledger.database.reading() as session:
        key = (await ledger.keys.key(session, citizen)).census_key()
    kept = leaf_hash(base64.b64decode(told["events"][1]["entry"]))
    false = Census([Member(key, 2, kept), Member(ERASED, 0, ERASED)])
    await stated(ledger, false, size=16)
    told = json.loads(await trail_of(ledger, citizen))
    told["events"].pop()

    assert _codes(ledger, told) == []
    for seen in (canonical(told), None):  # who counts needs no trail
        report = verify(await exported(ledger, tmp_path / f"out-{seen is None}"), ledger.log.vkey, None, seen)
        assert [finding.code for finding in report.findings] == ["census_sum"]


async def said(ledger: Ledger, body: dict[str, Any]) -> int:
    """What an operator says of a census made by hand; the position."""
    async with ledger.database.transaction() as session:
        origin, kind = (await repository.head(session)).origin, Event.LEDGER_CENSUS_TAKEN
        return await state(session, ledger.journal, kind, body, at=1, origin=origin)


async def stated(ledger: Ledger, census: Census, *, size: int) -> None:
    """A census made by hand, said and kept."""
    root, total = census.root
    body = {"size": size, "root": base64.b64encode(root).decode(), "total": total}
    position = await said(ledger, {**body, "members": len(census.members)})
    async with ledger.database.transaction() as session:
        row = {"size": size, "position": position, "members": census.encode()}
        await session.execute(CENSUS.update().values(row))
    await ledger.log.integrate_now()


@pytest.mark.parametrize(
    "counts",
    [{"one": 3, "two": 5}, {"one": 3, "two": 5, "three": 1, "nobody": 1}, {"one": 3, "two": 4, "three": 1}],
    ids=["somebody left out", "somebody invented", "one less"],
)
async def test_who_has_the_entries_counts_again(
    ledger: Ledger, tmp_path: Path, counts: dict[str, int]
) -> None:
    """A census that leaves out, invents or miscounts somebody does not add up to the entries."""
    await counted(ledger)
    members = [Member(name.encode().rjust(32), count, bytes(32)) for name, count in counts.items()]
    await stated(ledger, Census(members), size=16)
    report = verify(await exported(ledger, tmp_path / "out"), ledger.log.vkey, None, None)

    assert [finding.code for finding in report.findings] == ["census_sum"]
    assert report.exit_code == 48


async def test_the_newest_census_is_opened_to_all(ledger: Ledger, tmp_path: Path) -> None:
    """Not opening it is found; those before the last two are opened no longer, and nobody misses them."""
    for _ in range(4):
        await counted(ledger, (1,))
    folder = await exported(ledger, tmp_path / "out")
    told = json.loads((folder / "statements").read_bytes())
    report = verify(folder, ledger.log.vkey, None, None)
    assert (report.findings, report.checks()["sum"]) == ([], "held")
    assert len(told["statements"]) == 2

    (folder / "statements").write_bytes(canonical({**told, "statements": told["statements"][:1]}))
    assert [f.code for f in verify(folder, ledger.log.vkey, None, None).findings] == ["statement_wrong"]
    (folder / "statements").unlink()
    assert [f.code for f in verify(folder, ledger.log.vkey, None, None).findings] == ["statement_wrong"]


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("census_malformed", {"size": 99}),
        ("census_malformed", {"total": -1}),
        ("census_malformed", {"total": True}),
        ("census_malformed", {"root": ""}),
        ("statement_wrong", {"more": 1}),
    ],
    ids=str,
)
async def test_a_census_that_says_nonsense(
    ledger: Ledger, tmp_path: Path, code: str, change: dict[str, Any]
) -> None:
    """A count of what comes later, below nothing, under no root or with more to say is no census."""
    await counted(ledger)
    body = {"size": 16, "root": base64.b64encode(bytes(32)).decode(), "total": 9, "members": 4}
    await said(ledger, {**body, **change})
    await ledger.log.integrate_now()
    report = verify(await exported(ledger, tmp_path / "out"), ledger.log.vkey, None, None)

    assert [finding.code for finding in report.findings] == [code]


async def test_another_process_that_moves_the_log_is_waited_for(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five seconds; then the census is refused, and nothing is said or kept."""
    await ledger.append(3, await ledger.citizen())
    await ledger.log.integrate_now()
    waited: list[float] = []

    async def held(_session: object) -> bool:
        return False

    async def no_wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(repository, "lock", held)
    monkeypatch.setattr("gateway.ledger.census.asyncio.sleep", no_wait)
    with pytest.raises(Problem, match="ledger_behind"):
        await take(ledger.database, ledger.journal, at=1)
    assert sum(waited) == pytest.approx(5)
    async with ledger.database.reading() as session:
        assert (await session.execute(select(CENSUS))).all() == []


def test_a_proof_is_small() -> None:
    """At a million citizens and a million entries: 880 bytes fixed (aim 1 kB), 680 an event (aim 0.7 kB)."""
    census = Census([Member(n.to_bytes(32, "big"), 1, bytes(32)) for n in range(1000)])
    index, path = census.prove(census.members[5].h)
    assert (index, len(path)) == (5, math.ceil(math.log2(1000)))  # so deep at most, however many there are

    own = 32 + 8 + 32 + 8  # a key, a count, a head, a place
    siblings = sum(len(node) + 8 for node, _ in path) * math.ceil(math.log2(10**6)) // len(path)
    assert own + siblings == 880
    event = proof.inclusion(123_456, 10**6, lambda _level, _index: bytes(32))
    assert 8 + 32 + sum(map(len, event)) <= 680  # a place, a salt, the path


CHANGES: list[tuple[str, Any]] = [
    ("census_proof", lambda c: c["path"].pop()),
    ("census_proof", lambda c: c.update(n=c["n"] + 1)),
    ("census_proof", lambda c: c.update(index=c["index"] ^ 1)),
    ("census_proof", lambda c: c.update(members=c["members"] + 1)),
    ("census_proof", lambda c: c["path"][0].__setitem__(1, c["path"][0][1] + 1)),
    ("census_malformed", lambda c: c["path"][0].__setitem__(1, -1)),
    ("census_malformed", lambda c: c.update(h="")),
    ("census_malformed", lambda c: c.update(n=True)),
    ("census_malformed", lambda c: c.update(event=None)),
    ("trail_opening", lambda c: c["event"]["payload"]["body"].update(total=99)),
    ("trail_inclusion", lambda c: c["event"].update(index=c["event"]["index"] - 1)),
]


@pytest.mark.parametrize(("code", "change"), CHANGES)
async def test_a_changed_census_is_refused(ledger: Ledger, code: str, change: Any) -> None:
    """Count, place, path, event: whatever is changed no longer leads to what the log says."""
    told = json.loads(await trail_of(ledger, (await counted(ledger))[0]))
    change(told["census"])
    assert _codes(ledger, told) == [code]


def _codes(ledger: Ledger, told: dict[str, Any]) -> list[str]:
    return [f.code for f in verify(None, ledger.log.vkey, None, canonical(told)).findings]


async def test_the_forgotten_are_counted_together(ledger: Ledger, tmp_path: Path) -> None:
    """After an erasure the total still fits the entries, and the others' trails stay complete."""
    first, second, _ = await counted(ledger)
    async with ledger.database.transaction() as session:
        await ledger.journal.forget(session, second, party="gateway", at=ledger.clock.now)
    await ledger.log.integrate_now()
    taken = await take(ledger.database, ledger.journal, at=ledger.clock.now)
    await ledger.log.integrate_now()
    report = verify(
        await exported(ledger, tmp_path / "out"), ledger.log.vkey, None, await trail_of(ledger, first)
    )

    assert (report.findings, report.checks()["sum"]) == ([], "held")
    assert Member(ERASED, 6, ERASED) in taken.census.members
    assert taken.census.root[1] == 10


async def test_who_comes_later_is_not_counted_yet(ledger: Ledger) -> None:
    """A trail without a census says nothing of completeness, and a grown one is complete to where it says."""
    first, *_ = await counted(ledger)
    late = await ledger.citizen()
    await ledger.append(2, late)
    await ledger.append(2, first)
    await ledger.log.integrate_now()
    grown = verify(None, ledger.log.vkey, None, await trail_of(ledger, first))
    fresh = verify(None, ledger.log.vkey, None, await trail_of(ledger, late))

    assert (grown.findings, grown.events, grown.counted) == ([], 5, 16)
    assert (fresh.findings, fresh.events, fresh.counted) == ([], 2, None)


async def test_the_command_takes_one(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`mydata ledger census` counts; before the first checkpoint there is nothing to count."""
    create_keys(tmp_path / "keys")
    loaded = load_keys(tmp_path / "keys")
    ledger.keys = SubjectKeys(loaded.subject_kek)
    ledger.journal = Journal(ledger.keys, "gateway-1")
    ledger.log = Log(ledger.database, loaded.ledger, ORIGIN, ledger.last_signed)
    command = ["ledger", "census", "--config", str(ledger.config(tmp_path, tmp_path / "keys"))]
    assert await asyncio.to_thread(main, command) == 2
    await ledger.append(4, await ledger.citizen())
    await ledger.log.integrate_now()
    assert await asyncio.to_thread(main, command) == 0

    assert "4 events of citizens among the first 4 entries" in capsys.readouterr().out


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=40))
def test_a_census_adds_up_and_proves_each(counts: list[int]) -> None:
    """For any counts: the root's sum is their sum, every proof leads there, and bytes come back."""
    members = [Member(n.to_bytes(32, "big"), count, bytes(32)) for n, count in enumerate(counts)]
    census = Census(members[::-1])
    assert census.root[1] == sum(counts)
    assert Census.decode(census.encode()).root == census.root
    for member in members:
        index, path = census.prove(member.h)
        node, last = member.node, len(members) - 1
        for sibling in path:
            while not index & 1 and index == last:
                index, last = index >> 1, last >> 1
            node = join(sibling, node) if index & 1 else join(node, sibling)
            index, last = index >> 1, last >> 1
        assert node == census.root


def test_nobody_is_counted_twice() -> None:
    """A key that stands twice, nobody at all, and bytes that are no members are refused."""
    twice = [Member(bytes(32), 1, bytes(32)), Member(bytes(32), 2, bytes(32))]
    for bad in (twice, []):
        with pytest.raises(LedgerFormatError):
            Census(bad)
    with pytest.raises(LedgerFormatError):
        Census.decode(b"x")
    with pytest.raises(KeyError):
        Census(twice[:1]).prove(b"x" * 32)
