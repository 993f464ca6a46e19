"""Runs the jobs of the schedule in turn, one short transaction at a time: no door is kept waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from consent.repository import insert_or_keep
from gateway.database import Database
from gateway.errors import Problem
from gateway.retention.batch import Batch, Step
from gateway.retention.jobs import Job
from gateway.retention.tables import RetentionCursorRow
from gateway.telemetry import Metrics

PAUSE_SECONDS = 0.05
"""Between two transactions of one process: the doors' turn."""
LEAP_SECONDS = 7 * 86_400
"""A clock that is suddenly so far ahead is not believed at once, or a wrong one would end what lives."""
PATIENCE = 60
"""After so many ticks (an hour) it is: the gateway may have been switched off for long."""

_log = structlog.get_logger("mydata.retention")
_CURSOR = RetentionCursorRow.__table__  # type: ignore[attr-defined]
_CLOCK = "clock"

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class Sweep:
    """Ends what is over. Any number of processes may; killed anywhere, the next one goes on."""

    database: Database
    jobs: Sequence[Job]
    metrics: Metrics
    sleep: Sleep = asyncio.sleep
    _doubts: int = field(default=0)

    async def once(self, now: int) -> int:
        """Run every job until it has no more; how many were ended. A job that fails lets the others go on."""
        if not await self._believed(now):
            return 0
        waiting = [(job.name, step) for job in self.jobs for step in job.steps]
        ended = 0
        while waiting:
            again = []
            for name, step in waiting:
                batch = await self._step(name, step, now)
                ended += batch.ended
                if batch.more:
                    again.append((name, step))
                    await self.sleep(PAUSE_SECONDS)
            waiting = again
        return ended

    async def _step(self, name: str, step: Step, now: int) -> Batch:
        begun = time.perf_counter()
        try:
            async with self.database.transaction() as session:
                batch = await step(session, now)
        except (Problem, SQLAlchemyError) as error:
            self.metrics.not_ended.labels(name).inc()
            _log.error("retention_failed", job=name, error=getattr(error, "code", type(error).__name__))
            return Batch(0, False)
        self.metrics.ending.labels(name).observe(time.perf_counter() - begun)
        if batch.ended:
            self.metrics.ended.labels(name).inc(batch.ended)
        return batch

    async def _believed(self, now: int) -> bool:
        """Whether to act at `now`: the latest moment the store has seen is not far behind."""
        try:
            async with self.database.transaction() as session:
                seen = await _seen(session, now)
                self._doubts = self._doubts + 1 if now > seen + LEAP_SECONDS else 0
                if believed := self._doubts in (0, PATIENCE):
                    self._doubts = 0
                    later = update(_CURSOR).where(_CURSOR.c.job == _CLOCK, _CURSOR.c.at < now)
                    await session.execute(later.values(at=now))
        except Problem as problem:
            _log.error("retention_failed", job=_CLOCK, error=problem.code)
            return False
        if not believed:
            _log.error("clock_leapt", seconds=now - seen)
        return believed


async def _seen(session: AsyncSession, now: int) -> int:
    await session.execute(insert_or_keep(session, _CURSOR, "job").values(job=_CLOCK, at=now, id=""))
    return int((await session.execute(select(_CURSOR.c.at).where(_CURSOR.c.job == _CLOCK))).scalar_one())
