"""What moves signing keys along: announces the next in time, follows other processes, says it in the ledger.

A key never signs in the tick that made it, so its entry is in the ledger long before anything it signed. A
process killed between file and ledger leaves the entry to whoever looks next: entries go in by the name of
the key, once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from gateway.database import Database
from gateway.errors import Problem
from gateway.keyring import KeyringError
from gateway.keys import KeysError, SigningKeys
from gateway.keys.kek import Keks
from gateway.keys.manifest import Entry, Manifest

TICK_SECONDS = 5.0
"""How soon a process follows a change another one made."""
DAY_SECONDS = 86_400

_log = structlog.get_logger("mydata.keys")


@dataclass(slots=True)
class Rotation:
    """Runs beside the doors, in any number of processes. Without a `house` there is nothing to move."""

    house: SigningKeys | None
    database: Database
    journal: Journal
    party: str
    days: int
    clock: Clock
    keks: Keks | None = None
    _told: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Move keys until cancelled. What fails is said in the log and tried again."""
        failing = ""
        while True:
            try:
                await self.once()
                failing = ""
            except (KeysError, KeyringError, Problem) as error:
                if failing != error.code:
                    _log.error("keys_not_moving", problem=error.code, detail=str(error))
                failing = error.code
            await asyncio.sleep(TICK_SECONDS)

    async def once(self) -> None:
        """One look: follow, announce what is due, destroy what never signs again, tell the ledger."""
        if self.keks is not None:
            await asyncio.to_thread(self.keks.look_again)
        if self.house is None:
            return
        now = int(self.clock().timestamp())
        await asyncio.to_thread(self._move, self.house, now)
        untold = [one for one in tellings(self.house.manifest) if one[1] not in self._told]
        if untold:
            async with self.database.transaction() as session:
                for entry, idem in untold:
                    await tell(session, self.journal, entry, idem, party=self.party, at=now)
            self._told.update(idem for _, idem in untold)

    def _move(self, house: SigningKeys, now: int) -> None:
        if house.refresh(now):
            _log.info("keys_changed", generation=house.manifest.generation)
        if self.days:
            for entry in house.rotate_due(now, self.days * DAY_SECONDS):
                _log.info("key_announced", kid=entry.kid, alg=entry.alg, signs_from=entry.active_from)
        house.sweep(now)


def tellings(manifest: Manifest) -> list[tuple[Entry, str]]:
    """What the ledger must know of these keys, each under its own name: who follows whom, who is revoked."""
    told = []
    for alg in manifest.algorithms():
        told += [(e, f"{Event.KEY_SIGNING_ANNOUNCED.value}/{e.kid}") for e in manifest.of(alg)[1:]]
    revoked = (e for e in manifest.keys if e.revoked_at is not None)
    return told + [(e, f"{Event.KEY_SIGNING_REVOKED.value}/{e.kid}") for e in revoked]


async def tell(
    session: AsyncSession, journal: Journal, entry: Entry, idem: str, *, party: str, at: int
) -> None:
    """Put one telling into the caller's transaction; telling it again adds nothing."""
    kind = Event(idem.partition("/")[0])
    payload: dict[str, object] = {"kid": entry.kid, "alg": entry.alg}
    if kind is Event.KEY_SIGNING_ANNOUNCED:
        payload["signs_from"] = entry.active_from
    await journal.append(session, kind, subject=None, party=party, payload=payload, at=at, idem=idem)
