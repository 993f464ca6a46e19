"""The one transaction(), on both stores."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.database import Database, in_transaction
from gateway.errors import Problem


@pytest.fixture
async def table(database: Database) -> Database:
    """A database with one table of numbers."""
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE number (value INTEGER NOT NULL)"))
    return database


async def count(database: Database) -> int:
    """How many numbers are stored."""
    async with database.reading() as session:
        return int((await session.execute(text("SELECT count(*) FROM number"))).scalar_one())


async def test_a_transaction_commits_once_it_is_left(table: Database) -> None:
    """What was written is there after the block."""
    async with table.transaction() as session:
        await session.execute(text("INSERT INTO number VALUES (1)"))

    assert await count(table) == 1


async def test_an_exception_rolls_everything_back(table: Database) -> None:
    """A block that raises leaves nothing behind."""
    with pytest.raises(ValueError, match="no"):
        async with table.transaction() as session:
            await session.execute(text("INSERT INTO number VALUES (1)"))
            raise ValueError("no")

    assert await count(table) == 0


async def test_a_cancelled_transaction_changes_nothing(table: Database) -> None:
    """A task cancelled inside its transaction leaves nothing behind and blocks nobody."""

    async def never_ends() -> None:
        async with table.transaction() as session:
            await session.execute(text("INSERT INTO number VALUES (1)"))
            await asyncio.Event().wait()

    task = asyncio.create_task(never_ends())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with table.transaction() as session:
        await session.execute(text("INSERT INTO number VALUES (2)"))

    assert await count(table) == 1


async def test_writers_side_by_side_lose_nothing(table: Database) -> None:
    """Forty writers at once leave forty rows."""

    async def write(value: int) -> None:
        async with table.transaction() as session:
            await session.execute(text("INSERT INTO number VALUES (:v)"), {"v": value})

    await asyncio.gather(*(write(value) for value in range(40)))

    assert await count(table) == 40


async def test_a_transaction_inside_a_transaction_is_refused(table: Database) -> None:
    """There is one transaction a request; opening a second inside it is a fault of the code."""
    async with table.transaction():
        assert in_transaction()
        with pytest.raises(RuntimeError, match="already open"):
            async with table.transaction():
                pass

    assert not in_transaction()


async def test_a_reading_session_cannot_write_on_sqlite(tmp_path: Path) -> None:
    """A reading connection of SQLite refuses to write."""
    made = Database(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    async with made.transaction() as session:
        await session.execute(text("CREATE TABLE number (value INTEGER NOT NULL)"))
    with pytest.raises(Problem):
        async with made.reading() as session:
            await session.execute(text("INSERT INTO number VALUES (1)"))
    await made.close()


async def test_a_full_store_is_named_and_changes_nothing(tmp_path: Path) -> None:
    """When SQLite has no room the transaction is refused as storage_full and nothing of it stays."""
    made = Database(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    async with made.transaction() as session:
        await session.execute(text("CREATE TABLE number (value TEXT NOT NULL)"))
        await session.execute(text("PRAGMA max_page_count=4"))
    with pytest.raises(Problem) as refused:
        async with made.transaction() as session:
            await session.execute(text("INSERT INTO number VALUES (:v)"), {"v": "x" * 100_000})

    assert refused.value.code == "storage_full"
    assert await count(made) == 0
    await made.close()


async def test_a_store_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    """A PostgreSQL that is not there gives storage_unavailable, not a driver's exception."""
    made = Database(f"postgresql+asyncpg://mydata@/none?host={tmp_path}")
    with pytest.raises(Problem) as refused:
        async with made.transaction() as session:
            await session.execute(text("SELECT 1"))

    assert refused.value.code == "storage_unavailable"
    await made.close()


async def test_a_reading_sees_one_snapshot(table: Database) -> None:
    """What others commit while a session reads does not appear in it halfway."""
    async with table.reading() as session:
        before = (await session.execute(text("SELECT count(*) FROM number"))).scalar_one()
        async with table.transaction() as writing:
            await writing.execute(text("INSERT INTO number VALUES (1)"))
        after = (await session.execute(text("SELECT count(*) FROM number"))).scalar_one()

    assert (before, after) == (0, 0)
    assert await count(table) == 1


async def test_a_reading_cannot_write(table: Database) -> None:
    """The store itself refuses."""
    with pytest.raises((DBAPIError, Problem)):
        async with table.reading() as session:
            await session.execute(text("INSERT INTO number VALUES (1)"))
            await session.commit()

    assert await count(table) == 0


async def test_who_waits_in_a_circle_is_asked_to_come_again(table: Database) -> None:
    """Two transactions that want each other's row: never an error nobody named; on SQLite one waits."""
    async with table.transaction() as session:
        await session.execute(text("INSERT INTO number VALUES (1), (2)"))
    add = text("UPDATE number SET value = value + 10 WHERE value = :value")
    begun = [asyncio.Event(), asyncio.Event()]

    async def both(own: int, other: int, turn: int) -> str:
        try:
            async with table.transaction() as session:
                await session.execute(add, {"value": own})
                begun[turn].set()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await begun[1 - turn].wait()
                await session.execute(add, {"value": other})
        except Problem as problem:
            return problem.code
        return "done"

    said = await asyncio.gather(both(1, 2, 0), both(2, 1, 1))

    assert sorted(said) == (
        ["done", "done"] if table.dialect == "sqlite" else ["done", "storage_unavailable"]
    )
