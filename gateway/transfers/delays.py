"""Transfers that take longer than they should: the citizen is told why, and when they go on (Decree 42-6(1)).

Finance says five minutes; the Decree "without delay". One clock for all: what is not ready five minutes after
it was asked is late. Each is told once, by whichever process comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Table, and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent import notices
from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from consent.notices import NoticeKind
from consent.subjects import SubjectError, SubjectId
from gateway.database import Database
from gateway.transfers.states import State
from gateway.transfers.tables import DELAYED, UNDER_WAY, TransferRow

LATE_SECONDS = 300
AT_ONCE = 50
REASONS = {
    State.ACCEPTED: "gateway_busy",
    State.PULLING: "holder_slow",
    State.SEALED: "ledger_slow",
}
"""Why a transfer is late, by where it waits."""

_TRANSFER: Table = TransferRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Delays:
    """Any number of processes may look."""

    database: Database
    journal: Journal
    clock: Clock

    async def once(self) -> int:
        """Tell what is late and what goes on again; how many notices that were."""
        now = int(self.clock().timestamp())
        async with self.database.reading() as session:
            late, again = await _late(session, now), await _again(session)
        told = [await self._tell(row, now) for row in late]
        solved = [await self._solve(row, now) for row in again]
        return sum(told) + sum(solved)

    async def _tell(self, row: TransferRow, now: int) -> bool:
        reason = REASONS[State(row.state)]
        same = and_(
            _TRANSFER.c.id == row.id, _TRANSFER.c.state == row.state, _TRANSFER.c.delayed_at.is_(None)
        )
        marked = update(_TRANSFER).where(same).values(delayed_at=now, delay_reason=reason)
        async with self.database.transaction() as session:
            if (await session.execute(marked.returning(_TRANSFER.c.id))).one_or_none() is None:
                return False
            subject = SubjectId(row.subject_id)
            payload: dict[str, object] = {"transfer": row.id, "consent": row.consent_id, "reason": reason}
            with suppress(SubjectError):
                await self.journal.keys.key(session, subject)
                await self.journal.append(
                    session,
                    Event.RIGHTS_REQUEST_DELAYED,
                    subject=subject,
                    party=row.client_id,
                    payload={"kind": "third_party", **payload},
                    at=now,
                    idem=f"delay:{row.id}",
                )
            about = f"{row.consent_id}#{row.id}"
            return await notices.leave(session, subject, NoticeKind.TRANSFER_DELAYED, about, now)

    async def _solve(self, row: TransferRow, now: int) -> bool:
        same = and_(_TRANSFER.c.id == row.id, _TRANSFER.c.solved_at.is_(None))
        marked = update(_TRANSFER).where(same).values(solved_at=now).returning(_TRANSFER.c.id)
        async with self.database.transaction() as session:
            if (await session.execute(marked)).one_or_none() is None:
                return False
            about = f"{row.consent_id}#{row.id}"
            subject = SubjectId(row.subject_id)
            return await notices.leave(session, subject, NoticeKind.TRANSFER_GOES_ON, about, now)


async def _late(session: AsyncSession, now: int) -> Sequence[TransferRow]:
    old = (_TRANSFER.c.created_at <= now - LATE_SECONDS) & _TRANSFER.c.delayed_at.is_(None)
    query = select(TransferRow).where(UNDER_WAY, old).order_by(_TRANSFER.c.created_at, _TRANSFER.c.id)
    return (await session.execute(query.limit(AT_ONCE))).scalars().all()


async def _again(session: AsyncSession) -> Sequence[TransferRow]:
    query = select(TransferRow).where(DELAYED, _TRANSFER.c.state == State.READY)
    return (await session.execute(query.order_by(_TRANSFER.c.id).limit(AT_ONCE))).scalars().all()
