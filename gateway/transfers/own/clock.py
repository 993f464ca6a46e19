"""The clocks of a citizen's request: five minutes until a delay is told, and the end of the file's time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from consent import rights_repository as repository
from consent import rights_service as service
from consent.clock import Clock
from consent.errors import MoveError
from consent.journal import Journal
from consent.rights import HELD, UNDER_WAY, Move
from gateway.database import Database
from gateway.transfers.own.carrier import PATIENCE_SECONDS, delay_reason

AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class OwnClock:
    """Any number of processes may look at it: each thing is told once."""

    database: Database
    journal: Journal
    clock: Clock

    async def once(self) -> int:
        """Tell what is late, end what has had its time; how many moves that were."""
        now = int(self.clock().timestamp())
        async with self.database.reading() as session:
            late = await repository.late(session, now - PATIENCE_SECONDS, AT_ONCE)
            over = await repository.run_out(session, now, AT_ONCE)
        moved = 0
        for id in (one.id for one in late):
            moved += await self._tell_delay(id, now)
        for id in (one.id for one in over):
            moved += await self._end(id, now)
        return moved

    async def _tell_delay(self, request_id: str, now: int) -> bool:
        with suppress(MoveError):
            async with self.database.transaction() as session:
                live = await repository.load(session, request_id, lock=True)
                if live is None or live.state not in UNDER_WAY or live.delayed_at is not None:
                    return False
                told = {"delayed_at": now, "delay_reason": delay_reason(live)}
                await service.step(session, self.journal, live, Move.DELAY, now, told)
            return True
        return False

    async def _end(self, request_id: str, now: int) -> bool:
        with suppress(MoveError):
            async with self.database.transaction() as session:
                live = await repository.load(session, request_id, lock=True)
                if live is None or live.state not in HELD or (live.held_until or 0) > now:
                    return False
                await service.step(session, self.journal, live, Move.END, now)
            return True
        return False
