"""One-time values: exactly one winner, and forgetting only what its own dates refuse."""

from __future__ import annotations

import asyncio

from gateway.database import Database
from gateway.oauth.replay import OneTime, is_spent, purge, spend


async def _try(database: Database, value: OneTime) -> bool:
    async with database.transaction() as session:
        return await spend(session, value)


async def test_exactly_one_of_many_at_once_wins(database: Database) -> None:
    """Sixteen tries at once of each of twenty values."""
    for n in range(20):
        value = OneTime("proof", bytes([n]) * 32, 100, "dpop_replayed")
        won = await asyncio.gather(*(_try(database, value) for _ in range(16)))
        assert won.count(True) == 1


async def test_purposes_do_not_collide(database: Database) -> None:
    """The same hash may be an assertion and a proof."""
    for purpose in ("assertion", "proof"):
        assert await _try(database, OneTime(purpose, b"h" * 32, 100, ""))


async def test_purge_forgets_only_the_past(database: Database) -> None:
    """What is still within its dates stays spent."""
    old, new = (OneTime("proof", mark * 32, at, "") for mark, at in ((b"o", 10), (b"n", 100)))
    for value in (old, new):
        assert await _try(database, value)
    async with database.transaction() as session:
        await purge(session, at=50)
    async with database.reading() as session:
        assert not await is_spent(session, "proof", old.key_hash)
        assert await is_spent(session, "proof", new.key_hash)
