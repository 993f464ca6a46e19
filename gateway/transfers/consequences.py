"""What moves with a consent, in the transaction that moves it: transfers, sealed bundles, notices to holders.

Web and authorization server call it; it calls nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from consent.choices import within
from consent.records import Consent
from gateway.transfers import changed
from gateway.transfers.notices import Notices, tell_holders
from gateway.transfers.worker import Worker

Ended = Callable[[AsyncSession, Consent], Awaitable[None]]
Changed = Callable[[AsyncSession, Consent, Consent], Awaitable[None]]


def after_ending(worker: Worker, notices: Notices) -> Ended:
    """With a withdrawal or a revocation: transfers end, sealed bundles go, holders will be told."""

    async def after(session: AsyncSession, consent: Consent) -> None:
        now = consent.changed_at
        await tell_holders(session, consent, "withdrawn", now)
        await worker.end_with(session, consent.id, now, f"consent_{consent.state.value}")
        notices.wake()

    return after


def after_change(worker: Worker, notices: Notices) -> Changed:
    """With a narrowing or an amendment: transfers and bundles are judged by the new version.

    Holders of the version before are told when something they sent is not agreed to any more.
    """

    async def after(session: AsyncSession, before: Consent, now_agreed: Consent) -> None:
        now = now_agreed.changed_at
        if not within(before.terms, now_agreed.terms):
            await tell_holders(session, replace(now_agreed, asked=before.asked), "narrowed", now)
            notices.wake()
        worker.call_off(await changed.fit(session, now_agreed, now))

    return after
