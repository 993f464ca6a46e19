"""What must end on its own: one-time values and sealed bundles; and counting what was refused.

Every minute, in one short transaction each. Refusals before authentication are never entered one by one: they
are counted here, and once an hour their counts by code go into the ledger.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from gateway.database import Database
from gateway.errors import Problem
from gateway.oauth import replay
from gateway.oauth.ledger import Record
from gateway.telemetry import Metrics
from gateway.transfers import repository as transfers

TICK_SECONDS = 60.0
HOUR_SECONDS = 3600


@dataclass(slots=True)
class Housekeeping:
    """Runs beside the doors. Any number of processes may: deleting twice is deleting once."""

    database: Database
    journal: Journal
    record: Record
    metrics: Metrics
    party: str
    clock: Clock
    _hour: Counter[str] = field(default_factory=Counter)
    _told_at: int = 0

    async def run(self) -> None:
        """Keep house until cancelled."""
        while True:
            with suppress(Problem):
                await self.once()
            await asyncio.sleep(TICK_SECONDS)

    async def once(self) -> None:
        """Delete what has ended; count what was refused; once an hour say so in the ledger."""
        now = int(self.clock().timestamp())
        async with self.database.transaction() as session:
            await replay.forget(session, before=await replay.raise_mark(session, now), limit=10_000)
            await transfers.delete_expired(session, now)
        for code, count in self.record.take_uncounted().items():
            self.metrics.refused.labels(code).inc(count)
            self._hour[code] += count
        if self._hour and now - self._told_at >= HOUR_SECONDS:
            async with self.database.transaction() as session:
                await self._tell(session, now)
            self._hour, self._told_at = Counter(), now

    async def _tell(self, session: AsyncSession, now: int) -> None:
        payload: dict[str, object] = {"refused": dict(sorted(self._hour.items()))}
        await self.journal.append(
            session, Event.OAUTH_REFUSALS_COUNTED, subject=None, party=self.party, payload=payload, at=now
        )
