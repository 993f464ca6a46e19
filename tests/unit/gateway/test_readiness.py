"""In which minutes the gateway could serve, and the share of them: on both stores, by several processes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from gateway.database import Database
from gateway.support.readiness import HOUR_SECONDS, Readiness, availability, mark

BEGIN = 1_800_000_000 - 1_800_000_000 % HOUR_SECONDS
DAY = 86_400


async def told(database: Database, begin: int = BEGIN, end: int = BEGIN + DAY) -> str | None:
    """The availability of a time."""
    async with database.reading() as session:
        return await availability(session, begin, end)


async def marked(database: Database, *minutes: int) -> None:
    """Mark minutes after `BEGIN`, each by a process of its own, all at once."""

    async def one(minute: int) -> None:
        async with database.transaction() as session:
            await mark(session, BEGIN + minute * 60 + minute % 60)

    await asyncio.gather(*(one(minute) for minute in minutes))


async def test_row_30_availability_is_the_share_of_marked_minutes(database: Database) -> None:
    """None before the first mark; a minute marked twice counts once; the 60th fits; silence is zero."""
    assert await told(database) is None
    await marked(database, 30, 30, 31, 59, 60)
    assert await told(database, BEGIN - DAY, BEGIN) is None
    assert await told(database, BEGIN, BEGIN + 2 * HOUR_SECONDS) == f"{4 / 90:.6f}"
    assert await told(database, BEGIN + HOUR_SECONDS, BEGIN + 2 * HOUR_SECONDS) == f"{1 / 60:.6f}"
    assert await told(database, BEGIN + DAY, BEGIN + 2 * DAY) == "0.000000"
    await marked(database, *range(31, 150))
    assert await told(database, BEGIN, BEGIN + 2 * HOUR_SECONDS) == "1.000000"


async def test_row_30_a_process_that_is_not_ready_marks_nothing(database: Database) -> None:
    """One part that fails, or says no, is enough; when it is back the minute is marked."""
    states: list[bool | Exception] = [False, OSError(), True]

    async def part() -> bool:
        state = states.pop(0)
        if isinstance(state, Exception):
            raise state
        return state

    readiness = Readiness(database, {"part": part}, lambda: datetime.fromtimestamp(BEGIN, UTC))
    assert [await readiness.once(), await readiness.once(), await told(database)] == [False, False, None]
    assert await readiness.once()
    assert await told(database, BEGIN, BEGIN + HOUR_SECONDS) == f"{1 / 60:.6f}"
