"""Telling holders what became of a consent, until each has acknowledged.

The notice rows commit with the move itself. Sending never blocks it: a withdrawn consent is dead already, and
a holder that cannot be reached is told again, later and later, for as long as it takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from connectors import authorization
from connectors.authorization import Gateway
from connectors.contract import Holder
from connectors.errors import HolderError
from consent import endings
from consent import repository as repository_of_consents
from consent.clock import Clock
from consent.endings import Patience
from consent.events import Event
from consent.journal import Journal
from consent.records import Consent
from consent.repository import insert_or_keep
from consent.subjects import SubjectError, SubjectId
from gateway.database import Database
from gateway.errors import Problem
from gateway.transfers import listings, repository
from gateway.transfers.tables import HolderNoticeRow, ListAuthorizationRow

TICK_SECONDS = 2.0
LONGEST_SECONDS = 3600

_ENDINGS = frozenset({"withdrawn", "expired"})

_log = structlog.get_logger("mydata.notices")
_TABLE = HolderNoticeRow.__table__  # type: ignore[attr-defined]


async def tell_holders(session: AsyncSession, consent: Consent, event: authorization.Told, at: int) -> None:
    """In the caller's transaction: every holder of the consent will be told of `event`."""
    for holder in consent.asked.holders:
        values = {
            "consent_id": consent.id,
            "subject_id": consent.subject,
            "version": consent.version,
            "holder": holder,
            "event": event,
            "at": at,
            "state": "waiting",
            "attempts": 0,
            "next_at": at,
        }
        statement = insert_or_keep(session, _TABLE, "consent_id", "version", "holder")
        await session.execute(statement.values(**values))


@dataclass(slots=True)
class Notices:
    """Sends what `tell_holders` left. One a process; sending twice does no harm.

    `patience` is how long a party has before it counts as silent; a silent holder is told on.
    """

    database: Database
    journal: Journal
    gateway: Gateway
    holders: Mapping[str, Holder]
    clock: Clock
    patience: Patience = field(default_factory=Patience)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Say that notices were left. Optional."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            with suppress(Problem):
                await self.send_due()
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._wake.wait()
            self._wake.clear()

    async def send_due(self) -> int:
        """Send every notice whose time has come, side by side; how many holders acknowledged."""
        now = int(self.clock().timestamp())
        async with self.database.reading() as session:
            due = await repository.notices_due(session, now)
        return sum(await asyncio.gather(*(self._tell(one) for one in due)))

    async def _tell(self, one: HolderNoticeRow | ListAuthorizationRow) -> bool:
        return await (self._end_list(one) if isinstance(one, ListAuthorizationRow) else self._send(one))

    async def _end_list(self, one: ListAuthorizationRow) -> bool:
        """Tell a holder that a list of accounts is not needed any more; later again if it does not hear."""
        holder = self.holders.get(one.holder)
        try:
            if holder is None:
                raise KeyError(one.holder)
            manifest, version = holder.manifest, listings.VERSION
            await authorization.notify(self.gateway, manifest, one.consent_id, version, "withdrawn")
        except (HolderError, KeyError) as error:
            _log.warning("holder_not_told", holder=one.holder, error=type(error).__name__)
            next_at = int(self.clock().timestamp()) + _wait(one.attempts)
            async with self.database.transaction() as session:
                await listings.tell_later(session, one.id, next_at)
            return False
        now = int(self.clock().timestamp())
        async with self.database.transaction() as session:
            if await listings.acknowledged(session, one.id, now):
                payload: dict[str, object] = {"list": one.consent_id, "event": "withdrawn"}
                await self._enter(session, Event.HOLDER_LIST_ENDED, one, payload, f"list-ended/{one.id}")
        return True

    async def _send(self, notice: HolderNoticeRow) -> bool:
        holder = self.holders.get(notice.holder)
        try:
            if holder is None:
                raise KeyError(notice.holder)
            event = cast("authorization.Told", notice.event)
            await authorization.notify(
                self.gateway, holder.manifest, notice.consent_id, notice.version, event
            )
        except (HolderError, KeyError) as error:
            _log.warning("holder_not_told", holder=notice.holder, error=type(error).__name__)
            await self._later(notice)
            return False
        await self._acknowledged(notice)
        return True

    async def _later(self, notice: HolderNoticeRow) -> None:
        async with self.database.transaction() as session:
            next_at = int(self.clock().timestamp()) + _wait(notice.attempts)
            await repository.settle_notice(session, notice.id or 0, state="waiting", next_at=next_at)

    async def _acknowledged(self, notice: HolderNoticeRow) -> None:
        now = int(self.clock().timestamp())
        async with self.database.transaction() as session:
            consent = await repository_of_consents.load(session, notice.consent_id, lock=True)
            await repository.settle_notice(session, notice.id or 0, state="acknowledged", next_at=now)
            payload = {"consent": notice.consent_id, "version": notice.version, "event": notice.event}
            idem = f"notice/{notice.consent_id}/{notice.version}/{notice.holder}"
            await self._enter(session, Event.HOLDER_NOTICE_ACKNOWLEDGED, notice, payload, idem)
            if consent is not None and notice.event in _ENDINGS:
                kind = endings.Kind.HOLDER
                await endings.acknowledge(session, self.journal, consent, kind, notice.holder, at=now)

    async def _enter(
        self,
        session: AsyncSession,
        kind: Event,
        about: HolderNoticeRow | ListAuthorizationRow,
        payload: dict[str, object],
        idem: str,
    ) -> None:
        """The entry of an acknowledgement; none under an erased key: there is nobody left it is about."""
        with suppress(SubjectError):
            await self.journal.append(
                session,
                kind,
                subject=SubjectId(about.subject_id),
                party=about.holder,
                payload=payload,
                at=int(self.clock().timestamp()),
                idem=idem,
            )


def _wait(attempts: int) -> int:
    """Seconds until a holder that did not acknowledge is told again: later and later, an hour at most."""
    return min(LONGEST_SECONDS, 1 << min(attempts + 1, 12))


def waiting(notices: Iterable[HolderNoticeRow]) -> list[str]:
    """The holders that have not acknowledged yet."""
    return [notice.holder for notice in notices if notice.state == "waiting"]
