"""A suspended client's transfers: those under way end; bundles that are ready wait behind the door."""

from __future__ import annotations

from sqlalchemy import Table, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.journal import Journal
from gateway.transfers.endings import journal_end
from gateway.transfers.states import UNFINISHED, State
from gateway.transfers.tables import TransferRow

REASON = "client_suspended"
_TRANSFER: Table = TransferRow.__table__  # type: ignore[attr-defined]


async def end_of_client(session: AsyncSession, journal: Journal, client_id: str, now: int) -> int:
    """End every transfer of a client that is under way, in the transaction that suspends it; how many.

    A worker of any process stops pulling within `WATCH_SECONDS` of the commit and releases nothing after it.
    The rows are taken before any ledger entry is made, so that two who end transfers never wait in a circle.
    """
    open_ = (_TRANSFER.c.client_id == client_id) & _TRANSFER.c.state.in_(UNFINISHED)
    ended = update(_TRANSFER).where(open_).values(state=State.CANCELLED, reason=REASON, changed_at=now)
    ids = (await session.execute(ended.returning(_TRANSFER.c.id))).scalars().all()
    rows = await session.execute(select(TransferRow).where(_TRANSFER.c.id.in_(ids)).order_by(_TRANSFER.c.id))
    for row in rows.scalars().all():
        await journal_end(session, journal, row, State.CANCELLED, REASON, now)
    return len(ids)
