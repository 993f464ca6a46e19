"""Group commit: units in one transaction keep the promises of a transaction each, on both stores."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from gateway.database import Database, in_transaction
from gateway.errors import Problem
from gateway.group_commit import Group

Numbers = tuple[int | None, ...]
_SQLITE, _POSTGRESQL = "INSERT INTO number VALUES (?)", "INSERT INTO number VALUES ($1)"


@dataclass
class Storing:
    """Each unit stores its numbers; None is refused by the store. The outcome says how many it stored."""

    writes: bool = True
    batches: list[list[Numbers]] = field(default_factory=list)
    inside: bool = False

    def on_sqlite(self, connection: sqlite3.Connection, units: Sequence[Numbers]) -> list[int]:
        """One row a number."""
        self.batches.append(list(units))
        for unit in units:
            connection.executemany(_SQLITE, [(number,) for number in unit])
        return [len(unit) for unit in units]

    async def on_postgresql(self, connection: Any, units: Sequence[Numbers]) -> list[int]:
        """One row a number."""
        self.batches.append(list(units))
        self.inside = in_transaction()
        async with connection.transaction():
            for unit in units:
                for number in unit:
                    await connection.execute(_POSTGRESQL, number)
        return [len(unit) for unit in units]

    def apart(self, unit: Numbers) -> Iterable[Hashable]:
        """Its numbers below ten."""
        return [number for number in unit if number is not None and number < 10]


@pytest.fixture
async def table(database: Database) -> Database:
    """A database with one table of numbers."""
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE number (value INTEGER NOT NULL)"))
    return database


async def stored(database: Database) -> list[int]:
    """The numbers, in order."""
    async with database.reading() as session:
        return sorted((await session.execute(text("SELECT value FROM number"))).scalars())


async def test_units_that_arrive_together_share_transactions(table: Database) -> None:
    """Forty units: all stored when they return, in fewer transactions than units."""
    work = Storing()
    group: Group[Numbers, int] = table.group(work)

    outcomes = await asyncio.gather(*(group.do((n,)) for n in range(100, 140)))

    assert outcomes == [1] * 40
    assert await stored(table) == list(range(100, 140))
    assert len(work.batches) < 10
    assert not in_transaction()
    assert work.inside or table.dialect == "sqlite"


async def test_a_unit_that_fails_harms_no_neighbour(table: Database) -> None:
    """It fails alone and leaves nothing, not even what it wrote before it failed; the others are stored."""
    group: Group[Numbers, int] = table.group(Storing())
    units: list[Numbers] = [(n,) for n in range(100, 110)]
    units[3:3] = [(201, None)]
    units.append((None,))

    done = await asyncio.gather(*(group.do(unit) for unit in units), return_exceptions=True)

    assert [isinstance(outcome, Exception) for outcome in done] == [None in unit for unit in units]
    assert await stored(table) == list(range(100, 110))


async def test_a_cancelled_caller_harms_no_neighbour(table: Database) -> None:
    """Whoever goes away before the batch began has done nothing; the others' units are carried out."""
    group: Group[Numbers, int] = table.group(Storing())
    tasks = [asyncio.create_task(group.do((n,))) for n in range(100, 120)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()

    done = await asyncio.gather(*tasks, return_exceptions=True)

    assert [outcome for outcome in done if not isinstance(outcome, asyncio.CancelledError)] == [1] * 10
    assert await stored(table) == list(range(101, 120, 2))


async def test_cancelled_at_any_moment(table: Database) -> None:
    """Cancelled while batches run: every unit that returned is stored, and each at most once."""
    group: Group[Numbers, int] = table.group(Storing())
    tasks = [asyncio.create_task(group.do((n,))) for n in range(100, 200)]
    for task in tasks[::3]:
        await asyncio.sleep(0.0005)
        task.cancel()

    done = await asyncio.gather(*tasks, return_exceptions=True)
    await group.settled()

    kept = await stored(table)
    returned = {n for n, outcome in zip(range(100, 200), done, strict=True) if outcome == 1}
    assert returned <= set(kept)
    assert len(kept) == len(set(kept))


async def test_units_and_ordinary_transactions_take_turns(table: Database) -> None:
    """Writers of both kinds at once: nobody waits for ever, nothing is lost."""
    group: Group[Numbers, int] = table.group(Storing())

    async def alone(number: int) -> None:
        async with table.transaction() as session:
            await session.execute(text("INSERT INTO number VALUES (:n)"), {"n": number})
            await asyncio.sleep(0)

    async with asyncio.timeout(30):
        await asyncio.gather(*(group.do((n,)) for n in range(100, 160)), *(alone(n) for n in range(160, 200)))

    assert await stored(table) == list(range(100, 200))


async def test_units_that_share_a_name_go_one_after_the_other(table: Database) -> None:
    """Two units that must stay apart are never in one batch, and keep their order."""
    work = Storing()
    group: Group[Numbers, int] = table.group(work)

    await asyncio.gather(*(group.do(unit) for unit in [(1, 11), (2, 12), (1, 13), (1, 14), (3, 15)]))

    first = [[unit for unit in batch if 1 in unit] for batch in work.batches]
    assert [unit for batch in first for unit in batch] == [(1, 11), (1, 13), (1, 14)]
    assert all(len(batch) <= 1 for batch in first)


async def test_closing_waits_for_units_under_way(table: Database) -> None:
    """A unit that was begun before the database is closed is stored."""
    group: Group[Numbers, int] = table.group(Storing())
    task = asyncio.create_task(group.do((100,)))
    await asyncio.sleep(0)
    await group.settled()

    assert await task == 1
    assert await stored(table) == [100]


async def test_a_full_store_is_named_to_everyone_it_refuses(tmp_path: Path) -> None:
    """No room: each unit is refused as storage_full or stored, and none of the refused is there."""
    made = Database(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    async with made.transaction() as session:
        await session.execute(text("CREATE TABLE number (value INTEGER NOT NULL)"))
        await session.execute(text("PRAGMA max_page_count=3"))
    group: Group[Numbers, int] = made.group(Storing())
    units = [tuple(range(n, n + 400)) for n in range(1000, 9000, 1000)]

    done = await asyncio.gather(*(group.do(unit) for unit in units), return_exceptions=True)

    refused = [outcome for outcome in done if isinstance(outcome, Problem)]
    assert refused
    assert {problem.code for problem in refused} == {"storage_full"}
    assert len(await stored(made)) == 400 * (len(units) - len(refused))
    await made.close()


async def test_a_store_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    """Everybody hears storage_unavailable, nobody waits for ever, and the next one is tried anew."""
    made = Database(f"postgresql+asyncpg://mydata@/none?host={tmp_path}")
    group: Group[Numbers, int] = made.group(Storing())
    for _ in range(2):
        done = await asyncio.gather(*(group.do((n,)) for n in range(5)), return_exceptions=True)
        assert [getattr(outcome, "code", None) for outcome in done] == ["storage_unavailable"] * 5
    await made.close()


@dataclass
class Breaking(Storing):
    """A store that is lost under the first batch in which units are in company."""

    lost: bool = False

    def on_sqlite(self, connection: sqlite3.Connection, units: Sequence[Numbers]) -> list[int]:
        """An operational error, as of a file that cannot be read any more."""
        if len(units) > 1 and not self.lost:
            self.lost = True
            connection.execute("SELECT * FROM no_such_table")
        return super().on_sqlite(connection, units)

    async def on_postgresql(self, connection: Any, units: Sequence[Numbers]) -> list[int]:
        """The server ends the connection in the middle of the batch."""
        if len(units) > 1 and not self.lost:
            self.lost = True
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return await super().on_postgresql(connection, units)


async def test_a_store_lost_under_a_batch_is_told_to_everyone_in_it(table: Database) -> None:
    """Nobody of the batch waits for ever, none of it is tried a second time, and later units are stored."""
    group: Group[Numbers, int] = table.group(Breaking())

    async with asyncio.timeout(20):
        units = (group.do((n,)) for n in range(100, 110))
        done = await asyncio.gather(*units, return_exceptions=True)
        assert await group.do((200,)) == 1

    codes = {getattr(outcome, "code", None) for outcome in done if isinstance(outcome, Exception)}
    assert codes == {"storage_unavailable"}
    kept = [n for n, outcome in zip(range(100, 110), done, strict=True) if outcome == 1]
    assert await stored(table) == [*kept, 200]
