"""All SQL of transfers, bundles and notices to holders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.transfers import listings
from gateway.transfers.states import MOVES, UNFINISHED, State
from gateway.transfers.tables import (
    UNDER_WAY,
    BundleRow,
    HolderNoticeRow,
    ListAuthorizationRow,
    TransferRow,
)

_TRANSFER: Table = TransferRow.__table__  # type: ignore[attr-defined]
_BUNDLE: Table = BundleRow.__table__  # type: ignore[attr-defined]
_NOTICE: Table = HolderNoticeRow.__table__  # type: ignore[attr-defined]
AFTER_DELIVERY_SECONDS = 86_400


async def transfer(session: AsyncSession, transfer_id: str) -> TransferRow | None:
    """The transfer with this id."""
    return await session.get(TransferRow, transfer_id)


async def under_way(session: AsyncSession, consent_id: str) -> bool:
    """Whether a transfer of the consent is not over yet."""
    query = select(_TRANSFER.c.id).where(_TRANSFER.c.consent_id == consent_id, UNDER_WAY)
    return (await session.execute(query.limit(1))).first() is not None


async def bundle(session: AsyncSession, bundle_id: str) -> BundleRow | None:
    """The sealed bundle with this id."""
    return await session.get(BundleRow, bundle_id)


async def claim(session: AsyncSession, now: int, seconds: int) -> TransferRow | None:
    """Take the oldest unfinished transfer nobody holds, for `seconds`. Atomic: one worker gets it."""
    free = and_(UNDER_WAY, _TRANSFER.c.lease_until < now)
    oldest = select(_TRANSFER.c.id).where(free).order_by(_TRANSFER.c.created_at).limit(1)
    if session.get_bind().dialect.name == "postgresql":
        oldest = oldest.with_for_update(skip_locked=True)
    taken = (
        update(TransferRow)
        .where(_TRANSFER.c.id == oldest.scalar_subquery(), free)
        .values(lease_until=now + seconds, attempts=_TRANSFER.c.attempts + 1, changed_at=now)
        .returning(TransferRow)
    )
    return (await session.execute(taken)).scalar_one_or_none()


async def move(session: AsyncSession, row: TransferRow, to: State, now: int, **values: Any) -> bool:
    """Move by compare-and-set on (id, state); False when somebody else moved it first."""
    if to not in MOVES[State(row.state)]:
        return False
    moved = (
        update(TransferRow)
        .where(_TRANSFER.c.id == row.id, _TRANSFER.c.state == row.state)
        .values(state=to, changed_at=now, **values)
        .returning(_TRANSFER.c.id)
    )
    return (await session.execute(moved)).scalar_one_or_none() is not None


async def cancel_of_consent(session: AsyncSession, consent_id: str, now: int, reason: str) -> Sequence[str]:
    """End every transfer of a consent that is not over yet, and delete its sealed bundles; which ended."""
    open_ = [s for s in State if State.CANCELLED in MOVES[s]]
    ended = await session.execute(
        update(_TRANSFER)
        .where(_TRANSFER.c.consent_id == consent_id, _TRANSFER.c.state.in_(open_))
        .values(state=State.CANCELLED, reason=reason, changed_at=now)
        .returning(_TRANSFER.c.id)
    )
    ids: Sequence[str] = ended.scalars().all()
    await session.execute(
        update(BundleRow).where(_BUNDLE.c.consent_id == consent_id).values(sealed=b"", expires_at=now)
    )
    return ids


async def delivered(session: AsyncSession, bundle_id: str, now: int) -> None:
    """A bundle was fetched: it stays a day longer, in case the answer was lost, and then goes."""
    soon = now + AFTER_DELIVERY_SECONDS
    later = (_BUNDLE.c.id == bundle_id) & (_BUNDLE.c.expires_at > soon)
    await session.execute(update(_BUNDLE).where(later).values(expires_at=soon))


async def notices_of(session: AsyncSession, consent_id: str) -> Sequence[HolderNoticeRow]:
    """Every notice about one consent."""
    query = select(HolderNoticeRow).where(_NOTICE.c.consent_id == consent_id)
    return (await session.execute(query)).scalars().all()


async def notices_due(
    session: AsyncSession, now: int, limit: int = 20
) -> Sequence[HolderNoticeRow | ListAuthorizationRow]:
    """What holders have to be told now: notices of consents, and lists of accounts that are not needed."""
    due = (_NOTICE.c.state == "waiting") & (_NOTICE.c.next_at <= now)
    query = select(HolderNoticeRow).where(due).order_by(_NOTICE.c.id).limit(limit)
    consents = (await session.execute(query)).scalars().all()
    return [*consents, *await listings.due(session, now, limit)]


async def settle_notice(session: AsyncSession, notice_id: int, *, state: str, next_at: int) -> None:
    """Store how telling a holder ended."""
    await session.execute(
        update(HolderNoticeRow)
        .where(_NOTICE.c.id == notice_id)
        .values(state=state, next_at=next_at, attempts=_NOTICE.c.attempts + 1)
    )


async def unfinished(session: AsyncSession, now: int) -> bool:
    """Whether there is work for a worker."""
    query = select(_TRANSFER.c.id).where(UNDER_WAY, _TRANSFER.c.lease_until < now)
    return (await session.execute(query.limit(1))).first() is not None


async def renew(session: AsyncSession, transfer_id: str, until: int) -> None:
    """Hold an unfinished transfer longer."""
    held = (_TRANSFER.c.id == transfer_id) & _TRANSFER.c.state.in_(UNFINISHED)
    await session.execute(update(TransferRow).where(held).values(lease_until=until))


async def give_back(session: AsyncSession, transfer_id: str, until: int) -> None:
    """Let go of a transfer; nobody takes it before `until`."""
    await session.execute(update(TransferRow).where(_TRANSFER.c.id == transfer_id).values(lease_until=until))
