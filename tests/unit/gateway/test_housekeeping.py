"""What must end on its own ends; what was refused is counted, once an hour in the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from consent.events import Event
from consent.journal import Journal
from consent.ledger.entry import decode
from consent.ledger_tables import OUTBOX
from consent.subjects import SubjectKeys
from gateway.database import Database
from gateway.housekeeping import Housekeeping
from gateway.migrations.tables import metadata
from gateway.oauth.ledger import Record
from gateway.oauth.replay import OneTime, spend
from gateway.telemetry import Metrics
from gateway.transfers.tables import BundleRow

START = datetime(2026, 11, 22, tzinfo=UTC)
NOW = int(START.timestamp())


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        """Start at START."""
        self.at = START

    def __call__(self) -> datetime:
        """The moment it is."""
        return self.at


def keeper(database: Database) -> tuple[Housekeeping, Record, Clock]:
    """A housekeeping with what it looks after."""
    journal, clock = Journal(SubjectKeys(bytes(32)), "test"), Clock()
    record = Record(journal)
    return Housekeeping(database, journal, record, Metrics(), "operator", clock), record, clock


async def count(database: Database, table: str) -> int:
    """How many rows a table has."""
    async with database.reading() as session:
        return int(
            (await session.execute(select(func.count()).select_from(metadata.tables[table]))).scalar_one()
        )


async def test_one_time_values_are_forgotten_once_their_own_dates_refuse_them(database: Database) -> None:
    """A spent value stays until it has expired, and goes then."""
    house, _, clock = keeper(database)
    async with database.transaction() as session:
        assert await spend(session, OneTime("dpop", b"k", NOW + 60, "dpop_replayed"))
    await house.once()
    assert await count(database, "replay") == 1
    clock.at += timedelta(seconds=61)
    await house.once()

    assert await count(database, "replay") == 0


async def test_a_bundle_nobody_fetched_is_emptied_and_stays_known(database: Database) -> None:
    """Its sealed bytes go when its time has passed, not before."""
    house, _, clock = keeper(database)
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


async def test_refusals_before_authentication_become_one_entry_an_hour(database: Database) -> None:
    """However many there were, the ledger gets their counts once an hour."""
    house, record, clock = keeper(database)
    record.uncounted["client_unknown"] += 500
    await house.once()
    record.uncounted["client_unknown"] += 1
    clock.at += timedelta(minutes=30)
    await house.once()
    assert await count(database, "ledger_outbox") == 1
    clock.at += timedelta(minutes=31)
    await house.once()

    async with database.reading() as session:
        entries = (await session.execute(select(OUTBOX.c.entry))).scalars().all()
    assert [decode(entry).kind for entry in entries] == [Event.OAUTH_REFUSALS_COUNTED] * 2
    assert house.metrics.refused.labels("client_unknown")._value.get() == 501


async def test_a_quiet_hour_adds_nothing(database: Database) -> None:
    """Where nothing was refused nothing is said."""
    house, _, _ = keeper(database)
    await house.once()

    assert await count(database, "ledger_outbox") == 0
