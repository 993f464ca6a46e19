"""What moves on its own while the doors are open, one line each; one that fails is logged and goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from gateway.housekeeping import Housekeeping
from gateway.oauth.ledger import Record
from gateway.parts import Parts
from gateway.probes import probes_of
from gateway.retention.completing import completing
from gateway.retention.expiring import Follows, expiring
from gateway.retention.jobs import Job
from gateway.retention.mandating import mandating
from gateway.retention.rounds import Round
from gateway.support.readiness import Readiness
from gateway.telemetry import log
from gateway.transfers.consequences import after_change, after_ending


@asynccontextmanager
async def running(parts: Parts, record: Record) -> AsyncIterator[None]:
    """Everything that moves does so inside this context, and ends with it."""
    counted, code = (record.bound, parts.asking.refusals), parts.registry.operator.code
    house = Housekeeping.of(
        parts.database,
        parts.journal,
        code,
        counted=counted,
        metrics=parts.metrics,
        clock=parts.clock,
        also=_lasting(parts),
    )
    movers = {
        "ledger": parts.log.run,
        "transfers": parts.worker.run,
        "notices": parts.notices.run,
        "own_data": parts.own.run,
        "policy": parts.engine.run,
        "housekeeping": house.run,
        "keys": parts.rotation.run,
        "client_keys": parts.client_keys.run,
        "readiness": Readiness(parts.database, probes_of(parts), parts.clock).run,
    }
    tasks = [asyncio.create_task(_kept_alive(name, run), name=name) for name, run in movers.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _lasting(parts: Parts) -> tuple[Job, ...]:
    """Consents end at their end, withdrawals with the last answer; once a day each is looked at."""
    follows = Follows(after_ending(parts.worker, parts.notices), after_change(parts.worker, parts.notices))
    daily = Round(parts.journal, parts.catalogue, follows)
    return (
        Job("expiring", (expiring(parts.journal, follows),)),
        Job("completing", (completing(parts.journal),)),
        Job("mandating", (mandating(parts.journal, parts.registry.operator.code, follows),)),
        Job("round", (daily.step,)),
    )


async def _kept_alive(name: str, run: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await run()
        except Exception as error:
            log.error("mover_failed", mover=name, error=type(error).__name__)
            await asyncio.sleep(1)
