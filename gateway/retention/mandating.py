"""Mandates end by the clock; what was agreed under them stops until the citizen lets it go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from consent import mandate_endings
from consent.journal import Journal
from consent.records import Consent
from gateway.oauth.lasting import follow
from gateway.retention.batch import Batch
from gateway.retention.expiring import Follows


def mandating(
    journal: Journal, party: str, follows: Follows | None = None
) -> Callable[[AsyncSession, int], Awaitable[Batch]]:
    """The step that ends one mandate that ran out; grants, transfers and holders follow its consents."""

    async def paused(session: AsyncSession, before: Consent, after: Consent) -> None:
        await follow(session, after)
        if follows is not None:
            await follows.changed(session, before, after)

    end_one = mandate_endings.running_out(journal, party, paused)

    async def step(session: AsyncSession, now: int) -> Batch:
        ended = await end_one(session, now)
        return Batch(ended, ended > 0)

    return step
