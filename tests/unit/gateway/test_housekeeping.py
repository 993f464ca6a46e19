"""Each minute what is over ends and what was refused is counted; each hour is told once in the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from consent.journal import Journal
from consent.ledger.entry import decode
from consent.ledger_tables import OUTBOX, PAYLOAD
from consent.subjects import SubjectKeys
from gateway import housekeeping
from gateway.database import Database
from gateway.errors import Problem
from gateway.housekeeping import Housekeeping
from gateway.migrations.tables import metadata
from gateway.oauth.ledger import RefusalBound
from gateway.oauth.replay import OneTime, is_spent, spend
from gateway.telemetry import Metrics
from gateway.transfers.tables import BundleRow

START = datetime(2026, 11, 22, tzinfo=UTC)
NOW = int(START.timestamp())


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        """Start at START, the beginning of an hour."""
        self.at = START

    def __call__(self) -> datetime:
        """The moment it is."""
        return self.at


def keeper(database: Database, *bounds: RefusalBound) -> tuple[Housekeeping, Clock]:
    """One process's housekeeping, counting what `bounds` count, and its clock."""
    clock, journal = Clock(), Journal(SubjectKeys(bytes(32)), "test")
    house = Housekeeping.of(database, journal, "operator", counted=bounds, metrics=Metrics(), clock=clock)
    return house, clock


async def count(database: Database, table: str) -> int:
    """How many rows a table has."""
    async with database.reading() as session:
        return int(
            (await session.execute(select(func.count()).select_from(metadata.tables[table]))).scalar_one()
        )


async def told(database: Database) -> list[str]:
    """What the ledger was told of refusals, oldest first."""
    async with database.reading() as session:
        rows = await session.execute(
            select(OUTBOX.c.entry, PAYLOAD.c.body)
            .join(PAYLOAD, PAYLOAD.c.outbox_id == OUTBOX.c.id)
            .order_by(OUTBOX.c.id)
        )
        found = [(decode(row.entry).kind, row.body.decode()) for row in rows]
    assert {kind for kind, _ in found} <= {Event.OAUTH_REFUSALS_COUNTED}
    return [body for _, body in found]


async def test_one_time_values_are_forgotten_after_their_own_dates_refuse_them(database: Database) -> None:
    """A spent value stays ten minutes longer, goes a tick later, and stays spent when clocks go back."""
    house, clock = keeper(database)
    value = OneTime("proof", b"k", NOW + 60, "dpop_replayed")
    async with database.transaction() as session:
        assert await spend(session, value)
    clock.at += timedelta(minutes=10)
    await house.once()
    await house.once()
    assert await count(database, "replay") == 1
    clock.at += timedelta(minutes=2)
    await house.once()
    assert await count(database, "replay") == 1, "the mark has just been raised: it serves from the next tick"
    await house.once()
    assert await count(database, "replay") == 0
    async with database.transaction() as session:
        assert not await spend(session, value), "whatever the clock of a process says"
        assert await is_spent(session, "proof", value.key_hash, value.expires_at)


async def test_a_bundle_nobody_fetched_is_emptied_and_stays_known(database: Database) -> None:
    """Its sealed bytes go when its time has passed, not before."""
    house, clock = keeper(database)
    row = BundleRow(
        id="b-1",
        transfer_id="t-1",
        client_id="c",
        consent_id="c-1",
        sealed=b"x",
        manifest_hash="h",
        created_at=NOW,
        expires_at=NOW + 60,
    )
    async with database.transaction() as session:
        session.add(row)
    await house.once()
    async with database.reading() as session:
        assert (await session.execute(select(BundleRow.sealed))).scalar_one() == b"x"
    clock.at += timedelta(seconds=61)
    await house.once()

    async with database.reading() as session:
        assert (await session.execute(select(BundleRow.sealed))).scalar_one() == b""
    assert house.metrics.registry.get_sample_value("mydata_retention_ended_total", {"job": "bundle"}) == 1


async def test_refusals_of_every_process_and_door_are_told_once_an_hour(database: Database) -> None:
    """Doors and transfers of three processes: one entry an hour, with the sum, once the hour is over."""
    bounds = [RefusalBound() for _ in range(4)]
    house, clock = keeper(database, bounds[0], bounds[1])
    others = [keeper(database, bound) for bound in bounds[2:]]
    bounds[0].uncounted["client_unknown"] += 500
    bounds[1].uncounted["transfer_refused"] += 7
    bounds[2].uncounted["client_unknown"] += 20
    bounds[3].uncounted["client_unknown"] += 3
    for one, _ in [(house, clock), *others]:
        await one.once()
    clock.at += timedelta(minutes=59)
    bounds[0].uncounted["client_unknown"] += 1
    await house.once()
    assert await told(database) == []
    clock.at += timedelta(minutes=1)
    for _, late in others:
        late.at = clock.at
    await asyncio.gather(house.once(), *(one.once() for one, _ in others))

    (body,) = await told(database)
    assert '"refused":{"client_unknown":524,"transfer_refused":7}' in body
    assert f'"hour":{NOW}' in body
    assert await count(database, "refusal_count") == 0
    assert house.metrics.refused.labels("client_unknown")._value.get() == 501


async def test_counts_outlive_their_process(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process counted until it ended is told by another one; so is what it counted at the very end."""
    monkeypatch.setattr(housekeeping, "START_SECONDS", 0)
    bound = RefusalBound()
    first, _ = keeper(database, bound)
    bound.uncounted["client_unknown"] += 5
    running = asyncio.create_task(first.run())
    for _ in range(500):
        if await count(database, "refusal_count"):
            break
        await asyncio.sleep(0.01)
    bound.uncounted["client_unknown"] += 1
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    second, clock = keeper(database)
    clock.at += timedelta(hours=1)
    await second.once()

    (body,) = await told(database)
    assert '"client_unknown":6' in body


class Late:
    """A store that commits and is slow to say so."""

    def __init__(self, database: Database) -> None:
        """Commit into `database`."""
        self._database, self.committed, self.told = database, asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """As `Database.transaction`, up to the commit."""
        async with self._database.transaction() as session:
            yield session
        self.committed.set()
        await self.told.wait()


async def test_who_ends_while_counts_are_stored_counts_none_twice(database: Database) -> None:
    """A process is told to end after the commit, before it knows of it."""
    bound, late = RefusalBound(), Late(database)
    first, _ = keeper(database, bound)
    first.database = late  # type: ignore[assignment]
    bound.uncounted["client_unknown"] += 5
    counting = asyncio.create_task(first.count(NOW))
    await late.committed.wait()
    counting.cancel()
    await asyncio.sleep(0)
    late.told.set()
    with pytest.raises(asyncio.CancelledError):
        await counting
    await first.count(NOW)
    second, clock = keeper(database)
    clock.at += timedelta(hours=1)
    await second.once()

    (body,) = await told(database)
    assert '"client_unknown":5' in body


async def test_counts_outlive_a_store_that_fails(database: Database) -> None:
    """A transaction that fails takes no count with it, nor does it count twice when it works again."""
    bound = RefusalBound()
    house, clock = keeper(database, bound)
    bound.uncounted["client_unknown"] += 5
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE refusal_count RENAME TO away"))
    with pytest.raises((Problem, SQLAlchemyError)):
        await house.once()
    assert bound.uncounted == {"client_unknown": 5}
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO refusal_count"))
    await house.once()
    await house.once()
    assert not bound.uncounted
    clock.at += timedelta(hours=1)
    await house.once()

    (body,) = await told(database)
    assert '"client_unknown":5' in body


async def test_a_quiet_hour_adds_nothing(database: Database) -> None:
    """Where nothing was refused nothing is said."""
    house, clock = keeper(database, RefusalBound())
    await house.once()
    clock.at += timedelta(hours=2)
    await house.once()

    assert await count(database, "ledger_outbox") == 0


async def test_a_clock_that_leaps_is_not_believed_at_once(database: Database) -> None:
    """Years ahead in one step: nothing ends for an hour of ticks; set right meanwhile, nothing at all."""
    house, clock = keeper(database)
    await house.once()
    row = BundleRow(
        id="b-1",
        transfer_id="t-1",
        client_id="c",
        consent_id="c-1",
        sealed=b"x",
        manifest_hash="h",
        created_at=NOW,
        expires_at=NOW + 60,
    )
    async with database.transaction() as session:
        session.add(row)
    clock.at += timedelta(days=2000)
    for _ in range(30):
        await house.once()
    clock.at = START
    await house.once()
    clock.at += timedelta(days=2000)
    for _ in range(59):
        await house.once()
    async with database.reading() as session:
        assert (await session.execute(select(BundleRow.sealed))).scalar_one() == b"x"
    await house.once()

    async with database.reading() as session:
        assert (await session.execute(select(BundleRow.sealed))).scalar_one() == b""


async def test_a_job_that_fails_lets_the_others_go_on(database: Database) -> None:
    """Its failure is counted under its name; the rest of the house is kept."""
    house, _ = keeper(database)
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO citizen_sign_in (state_hash, browser_hash, nonce, code_verifier, return_to,"
                " language, expires_at) VALUES ('s', 'b', 'n', 'v', '/', 'ko', 1)"
            )
        )
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE citizen_session RENAME TO away"))
    await house.once()
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO citizen_session"))

    failed = house.metrics.registry.get_sample_value(
        "mydata_retention_failures_total", {"job": "citizen_session"}
    )
    assert failed == 1
    assert await count(database, "citizen_sign_in") == 0
