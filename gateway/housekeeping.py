"""What must end on its own ends (`gateway.retention`); what was refused is counted, each hour in the ledger.

Every minute, in short transactions. Refusals before authentication are never entered one by one: they are
counted in memory, each minute added to the store, and told once their hour is over.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from consent.clock import Clock
from consent.journal import Journal
from gateway.database import Database
from gateway.errors import Problem
from gateway.oauth import refusal_counts
from gateway.oauth.ledger import RefusalBound
from gateway.retention.jobs import Job, jobs
from gateway.retention.sweep import Sweep
from gateway.telemetry import Metrics

START_SECONDS = 5.0
"""Before the first time: a gateway that starts answers its doors first."""
TICK_SECONDS = 60.0


@dataclass(slots=True)
class Housekeeping:
    """Runs beside the doors. Any number of processes may: ending twice is ending once."""

    database: Database
    sweep: Sweep
    counted: Sequence[RefusalBound]
    metrics: Metrics
    clock: Clock

    @classmethod
    def of(
        cls,
        database: Database,
        journal: Journal,
        party: str,
        *,
        counted: Sequence[RefusalBound],
        metrics: Metrics,
        clock: Clock,
        also: Sequence[Job] = (),
    ) -> Housekeeping:
        """The house of one process; `party` is the operator's code in the ledger, `also` is done, too."""
        every = (*also, *jobs(journal, party))
        return cls(database, Sweep(database, every, metrics), counted, metrics, clock)

    async def run(self) -> None:
        """Keep house until cancelled; what was counted last is stored then, too."""
        try:
            await asyncio.sleep(START_SECONDS)
            while True:
                with suppress(Problem):
                    await self.once()
                await asyncio.sleep(TICK_SECONDS)
        finally:
            with suppress(Problem):
                await self.count(int(self.clock().timestamp()))

    async def once(self) -> None:
        """Store what was counted; end what is over, the counts of past hours among it."""
        now = int(self.clock().timestamp())
        try:
            await self.count(now)
        finally:
            await self.sweep.once(now)

    async def count(self, now: int) -> None:
        """Add what this process counted to the hour of `now`. A store that fails loses none of it.

        Who is cancelled meanwhile waits for the store: what it took is never counted again.
        """
        storing = asyncio.ensure_future(self._store(now))
        try:
            await asyncio.shield(storing)
        except asyncio.CancelledError:
            await asyncio.wait([storing])
            with suppress(Problem):
                storing.result()
            raise

    async def _store(self, now: int) -> None:
        taken = refusal_counts.seen(self.counted)
        counts: Counter[str] = sum((counts for _, counts in taken), Counter())
        if not counts:
            return
        async with self.database.transaction() as session:
            await refusal_counts.keep(session, counts, now)
        refusal_counts.settle(taken)
        for code, number in counts.items():
            self.metrics.refused.labels(code).inc(number)
