"""The sequencer: one position for each committed entry, whole batches or nothing."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from consent.ledger.tree import leaf_hash
from consent.ledger.verify.merkle import root as plain_root
from consent.ledger_tables import ENTRY, OUTBOX
from gateway.errors import Problem
from gateway.ledger import repository
from gateway.ledger.sequencer import Sequencer
from tests.unit.gateway.ledger.conftest import AT, Ledger


async def entries(ledger: Ledger) -> list[bytes]:
    """The log's entries in order."""
    async with ledger.database.reading() as session:
        rows = (await session.execute(select(ENTRY).order_by(ENTRY.c.position))).all()
    assert [row.position for row in rows] == list(range(len(rows)))
    return [row.entry for row in rows]


async def head(ledger: Ledger) -> repository.Head:
    """The stored tree head."""
    async with ledger.database.reading() as session:
        return await repository.head(session)


async def test_batches_give_the_tree_of_all_entries(ledger: Ledger) -> None:
    """Over several batches and two tile boundaries the head is the root of all entries, each there once."""
    appended = await ledger.append(600)
    sequencer = Sequencer(ledger.database, batch=250)
    counts = [await sequencer.integrate() for _ in range(4)]
    stored = await entries(ledger)

    assert counts == [250, 250, 100, 0]
    assert [leaf_hash(entry) for entry in stored] == [a.leaf for a in appended]
    now = await head(ledger)
    assert (now.size, now.root) == (600, plain_root([leaf_hash(entry) for entry in stored]))
    async with ledger.database.reading() as session:
        assert await repository.backlog(session) == (0, None)


async def test_nothing_waiting_changes_nothing(ledger: Ledger) -> None:
    """An empty outbox leaves the empty tree."""
    assert await Sequencer(ledger.database).integrate() == 0
    assert (await head(ledger)).size == 0


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_tile", "ledger_head", "ledger_outbox"])
async def test_a_failure_inside_changes_nothing(ledger: Ledger, table: str) -> None:
    """Whichever write fails, the tree stays as it was, all rows still wait, and the next run takes them."""
    await ledger.append(10)
    await Sequencer(ledger.database).integrate()
    before = await head(ledger)
    await ledger.append(300)
    engine = ledger.database.engine.sync_engine
    words = {"ledger_outbox": "DELETE FROM", "ledger_head": "UPDATE"}

    def fail(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(f"{words.get(table, 'INSERT INTO')} {table}"):
            raise ConnectionResetError("the machine stopped here")

    event.listen(engine, "before_cursor_execute", fail)
    try:
        with pytest.raises((ConnectionResetError, SQLAlchemyError, Problem)):
            await Sequencer(ledger.database).integrate()
    finally:
        event.remove(engine, "before_cursor_execute", fail)

    assert await head(ledger) == before
    assert len(await entries(ledger)) == 10
    assert await Sequencer(ledger.database).integrate() == 300
    stored = await entries(ledger)
    assert (await head(ledger)).root == plain_root([leaf_hash(entry) for entry in stored])


async def test_many_sequencers_assign_each_position_once(ledger: Ledger) -> None:
    """Sequencers and writers at once: every entry gets one position and none is lost."""
    sequencers = [Sequencer(ledger.database, batch=7) for _ in range(3)]

    async def drain(sequencer: Sequencer) -> int:
        added = 0
        for _ in range(12):
            added += await sequencer.integrate()
        return added

    draining = asyncio.gather(*(drain(s) for s in sequencers))
    wrote = await asyncio.gather(*(ledger.append(5) for _ in range(8)))
    drained = list(await draining)
    while rest := await sequencers[0].integrate():
        drained.append(rest)
    stored = [leaf_hash(entry) for entry in await entries(ledger)]

    assert sum(drained) == 40
    assert sorted(stored) == sorted(a.leaf for batch in wrote for a in batch)
    assert (await head(ledger)).root == plain_root(stored)


async def test_a_late_commit_with_a_small_id_is_taken_later(ledger: Ledger) -> None:
    """An outbox id is no position: a row that becomes visible behind a larger id still enters, at the end."""
    await ledger.append(2)
    async with ledger.database.transaction() as session:
        ids = (await session.execute(select(OUTBOX.c.id).order_by(OUTBOX.c.id))).scalars().all()
        small = (await session.execute(select(OUTBOX).where(OUTBOX.c.id == ids[0]))).one()
        await session.execute(text("DELETE FROM ledger_outbox WHERE id = :id"), {"id": ids[0]})
    await Sequencer(ledger.database).integrate()
    async with ledger.database.transaction() as session:
        await session.execute(insert(OUTBOX).values(id=ids[0], entry=small.entry, at=AT))
    await Sequencer(ledger.database).integrate()

    assert (await entries(ledger))[-1] == small.entry
    async with ledger.database.reading() as session:
        assert await repository.position(session, ids[0]) == 1


async def test_an_open_transaction_holds_nobody_up(ledger: Ledger) -> None:
    """On PostgreSQL entries that commit after a still open transaction's are integrated at once."""
    if ledger.database.dialect == "sqlite":
        assert ledger.database.engine.pool.size() == 1, "one writer: transactions never overlap"  # type: ignore[attr-defined]
        return
    slow_may_commit, slow_wrote = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with ledger.database.transaction() as session:
            await session.execute(insert(OUTBOX).values(entry=b"slow", at=AT))
            slow_wrote.set()
            await slow_may_commit.wait()

    task = asyncio.create_task(slow())
    await slow_wrote.wait()
    await ledger.append(2)
    assert await Sequencer(ledger.database).integrate() == 2
    slow_may_commit.set()
    await task

    assert await Sequencer(ledger.database).integrate() == 1
    assert (await entries(ledger))[-1] == b"slow"


async def test_outbox_ids_never_come_back(ledger: Ledger) -> None:
    """After the outbox was emptied new rows get new ids, so that a promise names one entry for ever."""
    first = await ledger.append(3)
    await Sequencer(ledger.database).integrate()
    second = await ledger.append(3)

    assert min(a.outbox_id for a in second) > max(a.outbox_id for a in first)
