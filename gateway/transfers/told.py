"""What was not sent, and why, is told to the citizen without delay (Decree 42-8(2)): once a day a consent."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from consent import notices, repository_use
from consent.calendar import korean_day_of
from consent.notices import NoticeKind
from consent.subjects import SubjectId
from consent.usage import ItemOutcome
from gateway.transfers.refused import given_up
from gateway.transfers.tables import TransferRow

_KEPT_BACK = frozenset({"refused", "failed", "partial"})
_OWN_WISH = frozenset({None, "not_chosen", "not_asked_now", "no_records"})
"""Reasons that are no refusal: the citizen did not choose it, nobody asked for it, there was nothing."""


async def tell_kept_back(
    session: AsyncSession, subject: SubjectId, outcomes: Iterable[ItemOutcome], now: int
) -> None:
    """In the transaction that records `outcomes`: leave the notice if any of them was kept back.

    The reasons themselves stand in the consent's detail; a recipient that asks again and again cannot fill
    the inbox.
    """
    for outcome in outcomes:
        if outcome.outcome in _KEPT_BACK and outcome.reason not in _OWN_WISH:
            about = f"{outcome.consent_id}#{korean_day_of(now).isoformat()}"
            await notices.leave(session, subject, NoticeKind.TRANSFER_REFUSED, about, now)
            return


async def tell_failed(session: AsyncSession, transfer: TransferRow, now: int) -> None:
    """In the transaction that lets `transfer` fail: what became of each item, and the notice of it.

    Decree 42-6(1), 42-6(11): what was held up will not come any more, and the citizen is told so.
    """
    await repository_use.record(session, await given_up(session, transfer, now))
    about = f"{transfer.consent_id}#{transfer.id}"
    await notices.leave(session, SubjectId(transfer.subject_id), NoticeKind.TRANSFER_FAILED, about, now)
