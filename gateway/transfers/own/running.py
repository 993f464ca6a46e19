"""Everything of citizens' own data in one process: what answers, what carries, what watches the clock."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from consent.catalogue import Catalogue
from consent.clock import Clock
from consent.journal import Journal
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger.log import Log
from gateway.policy.engine import PolicyEngine
from gateway.transfers.delays import Delays
from gateway.transfers.own.ask import OwnAsking
from gateway.transfers.own.carrier import OwnCarrier
from gateway.transfers.own.clock import OwnClock
from gateway.transfers.pull import Puller
from gateway.transfers.question import Role

CLOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class OwnData:
    """One a process; any number of processes may run theirs."""

    asking: OwnAsking
    carrier: OwnCarrier
    clock: OwnClock
    delays: Delays

    @classmethod
    def of(
        cls,
        stored: tuple[Database, Journal, Log],
        engine: PolicyEngine,
        catalogue: Catalogue,
        puller: Puller,
        clock: Clock,
        *,
        role: Role,
    ) -> OwnData:
        """Made of the parts of a gateway; `role` is what its operator is in law."""
        database, journal, log = stored
        carrier = OwnCarrier(database, journal, log, puller, catalogue, clock)
        asking = OwnAsking(database, engine, journal, log, catalogue, role, clock, carrier.wake)
        return cls(asking, carrier, OwnClock(database, journal, clock), Delays(database, journal, clock))

    async def run(self) -> None:
        """Carry, and watch the clock, until cancelled; what fails ends both, to be started again."""
        async with asyncio.TaskGroup() as together:
            together.create_task(self.carrier.run())
            together.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            with suppress(Problem):
                await self.clock.once()
                await self.delays.once()
            await asyncio.sleep(CLOCK_SECONDS)
