"""In which minutes the gateway could serve: one row an hour, a bit a minute, set by any ready process.

A minute nobody marked is a minute without service: off, or cut off from store, policy or ledger. What a
citizen's network did is not seen from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import BigInteger, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from consent.clock import Clock
from consent.tables import table_of
from gateway.database import Database
from gateway.errors import Problem
from gateway.support.status import Probe, ready

HOUR_SECONDS, MINUTE_SECONDS = 3600, 60
TICK_SECONDS = 20.0
"""Often enough that a busy process misses no minute."""


class ReadinessHourRow(SQLModel, table=True):
    """One hour (epoch seconds of its beginning); bit n of `minutes`: the gateway was ready in minute n."""

    __tablename__ = "readiness_hour"

    hour: int = Field(primary_key=True, sa_type=BigInteger)
    minutes: int = Field(sa_type=BigInteger)


_HOURS = table_of(ReadinessHourRow)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Marks the minutes of one process. Any number of processes may: the same minute is marked once."""

    database: Database
    probes: Mapping[str, Probe]
    clock: Clock

    async def run(self) -> None:
        """Look and mark until cancelled."""
        while True:
            with suppress(Problem):
                await self.once()
            await asyncio.sleep(TICK_SECONDS)

    async def once(self) -> bool:
        """Mark this minute if every part is ready; whether it was."""
        if not await ready(self.probes):
            return False
        async with self.database.transaction() as session:
            await mark(session, int(self.clock().timestamp()))
        return True


async def mark(session: AsyncSession, at: int) -> None:
    """The gateway is ready in the minute of `at` (epoch seconds). Again, or by another, changes nothing."""
    made = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    hour, bit = at - at % HOUR_SECONDS, 1 << at % HOUR_SECONDS // MINUTE_SECONDS
    row = made(_HOURS).values(hour=hour, minutes=bit)
    with_it = {"minutes": _HOURS.c.minutes.bitwise_or(row.excluded.minutes)}
    await session.execute(row.on_conflict_do_update(index_elements=["hour"], set_=with_it))


async def availability(session: AsyncSession, begin: int, end: int) -> str | None:
    """The share of minutes of `begin` <= t < `end` in which the gateway was ready, with six places.

    Counted from the first minute ever marked; None where that came later. Both are whole hours.
    """
    first = (await session.execute(select(func.min(_HOURS.c.hour)))).scalar_one()
    if first is None or first >= end:
        return None
    lowest = (await session.execute(select(_HOURS.c.minutes).where(_HOURS.c.hour == first))).scalar_one()
    began = first + ((lowest & -lowest).bit_length() - 1) * MINUTE_SECONDS
    query = select(_HOURS.c.minutes).where(_HOURS.c.hour >= begin, _HOURS.c.hour < end)
    minutes = sum(row.minutes.bit_count() for row in await session.execute(query))
    return f"{minutes * MINUTE_SECONDS / (end - max(begin, began)):.6f}"
