"""What moves with a consent, in the transaction that moves it: transfers, sealed bundles, notices to holders.

Web and authorization server call it; it calls nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.authorization import Told
from consent import endings
from consent.choices import within
from consent.records import Consent, State
from gateway.transfers import changed
from gateway.transfers.job import ended_as
from gateway.transfers.notices import Notices, tell_holders
from gateway.transfers.worker import Worker

Ended = Callable[[AsyncSession, Consent], Awaitable[None]]
Changed = Callable[[AsyncSession, Consent, Consent], Awaitable[None]]


def after_ending(worker: Worker, notices: Notices) -> Ended:
    """With an ending: transfers end, sealed bundles go, every party is told and has its time to answer."""

    async def after(session: AsyncSession, consent: Consent) -> None:
        now = consent.changed_at
        told: Told = "expired" if consent.state is State.EXPIRED else "withdrawn"
        await endings.tell_parties(session, consent, notices.patience, now)
        await tell_holders(session, consent, told, now)
        await worker.end_with(session, consent.id, now, ended_as(consent.state))
        notices.wake()

    return after


def after_change(worker: Worker, notices: Notices) -> Changed:
    """With a move that ends nothing: transfers and bundles are judged by the new version.

    Holders of the version before are told of a pause, of its end, of a renewal, and when something they sent
    is not agreed to any more.
    """

    async def after(session: AsyncSession, before: Consent, now_agreed: Consent) -> None:
        now = now_agreed.changed_at
        if told := _told(before, now_agreed):
            await tell_holders(session, replace(now_agreed, asked=before.asked), told, now)
            notices.wake()
        paused = now_agreed.state is State.PAUSED
        why = f"consent_{State.PAUSED.value}" if paused else changed.REASON
        worker.call_off(await changed.fit(session, now_agreed, now, why))

    return after


def _told(before: Consent, after: Consent) -> Told | None:
    """The holders' word for what happened; None when it takes nothing from what they know."""
    if before.state is not after.state:
        return "paused" if after.state is State.PAUSED else "resumed"
    same = replace(before.terms, end=after.terms.end) == after.terms
    if same and after.terms.end > before.terms.end:
        return "renewed"
    return None if within(before.terms, after.terms) else "narrowed"
