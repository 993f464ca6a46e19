"""One-time values: exactly one winner, and forgetting only what its own dates refuse."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select, text

from gateway.database import Database
from gateway.oauth.replay import OneTime, forget, is_spent, raise_mark, spend
from gateway.oauth.tables import ReplayRow


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


async def _kept(database: Database) -> int:
    async with database.reading() as session:
        return int((await session.execute(select(func.count()).select_from(ReplayRow))).scalar_one())


async def _forget(database: Database, before: int, *, limit: int = 100) -> int:
    async with database.transaction() as session:
        return await forget(session, before=await raise_mark(session, before), limit=limit)


async def test_only_the_past_is_forgotten(database: Database) -> None:
    """What is still within its dates stays, and stays spent."""
    old, new = (OneTime("proof", mark * 32, at, "") for mark, at in ((b"o", 10), (b"n", 100)))
    for value in (old, new):
        assert await _try(database, value)
    assert await _forget(database, 50) == 1
    assert await _kept(database) == 1
    async with database.reading() as session:
        assert await is_spent(session, "proof", new.key_hash, new.expires_at)
    assert not await _try(database, new)


async def test_what_was_forgotten_stays_spent_whatever_the_clock_says(database: Database) -> None:
    """A clock set back makes an old proof look fresh: the mark knows that it may have been used."""
    old, unused = (OneTime("proof", mark * 32, 49, "dpop_replayed") for mark in (b"o", b"u"))
    assert await _try(database, old)
    assert await _forget(database, 50) == 1
    assert not await _try(database, old)
    assert not await _try(database, unused), "nobody can tell it from a forgotten one"
    async with database.reading() as session:
        assert await is_spent(session, "revoked", b"t" * 32, 49), "a token given up stays given up"
        assert not await is_spent(session, "revoked", b"t" * 32, 50)
    assert await _try(database, OneTime("proof", b"f" * 32, 50, ""))


async def test_the_mark_only_rises(database: Database) -> None:
    """A process whose clock is behind neither lowers the mark nor makes more be forgotten."""
    for asked, mark in ((50, 50), (20, 50), (60, 60)):
        async with database.transaction() as session:
            assert await raise_mark(session, asked) == mark


async def test_a_batch_is_bounded_and_the_rest_follows(database: Database) -> None:
    """Five at two a time: two, two, one, none."""
    for n in range(5):
        assert await _try(database, OneTime("proof", bytes([n]) * 32, n, ""))
    assert [await _forget(database, 50, limit=2) for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_batch_is_bounded_however_it_is_planned(database: Database) -> None:
    """Statistics of a table that was nearly empty: a plan that looks for the oldest anew for each row."""
    first, *others = (OneTime("proof", bytes([n]) * 32, n, "") for n in range(5))
    assert await _try(database, first)
    async with database.transaction() as session:
        await session.execute(text("ANALYZE"))
    for value in others:
        assert await _try(database, value)
    assert await _forget(database, 50, limit=2) == 2
