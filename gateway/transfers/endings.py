"""The ledger's word for a transfer that ended without a bundle."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from consent.journal import Journal
from consent.subjects import SubjectError, SubjectId
from gateway.transfers.states import State
from gateway.transfers.tables import TransferRow


async def journal_end(
    session: AsyncSession, journal: Journal, transfer: TransferRow, state: State, reason: str, now: int
) -> None:
    """Say in the caller's transaction that `transfer` ended as `state` (cancelled or failed), and why.

    Under a citizen's erased key the entry names the transfer and nothing of the citizen.
    """
    payload: dict[str, object] = {"transfer": transfer.id, "state": state.value, "reason": reason}
    idem = f"{Event.TRANSFER_REQUEST_ENDED.value}/{transfer.id}"
    subject: SubjectId | None = SubjectId(transfer.subject_id)
    try:
        await journal.keys.key(session, SubjectId(transfer.subject_id))
    except SubjectError:
        subject = None
    await journal.append(
        session,
        Event.TRANSFER_REQUEST_ENDED,
        subject=subject,
        party=transfer.client_id,
        payload=payload,
        at=now,
        idem=idem,
    )
