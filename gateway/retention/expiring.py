"""A consent past its last day is over by the clock (`standing`); here that is written, entered and told.

Any number of processes may: each takes consents nobody else holds, all of a batch before any citizen, and
citizens in the order of their ids (`gateway.oauth.endings`). Killed anywhere, all of a batch has expired, or
none of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import lasting, repository
from consent.journal import Journal
from consent.records import Consent
from consent.tables import OPEN, ConsentRow, table_of
from gateway.retention.batch import Batch

AT_ONCE = 50

_CONSENT = table_of(ConsentRow)


@dataclass(frozen=True, slots=True)
class Follows:
    """What follows from a move, in its transaction: of one that ends a consent, of one that does not.

    Neither may call anyone. `ended` stops transfers, empties bundles, leaves holders a notice; so does
    `changed`, as far as the move asks for it.
    """

    ended: Callable[[AsyncSession, Consent], Awaitable[None]]
    changed: Callable[[AsyncSession, Consent, Consent], Awaitable[None]]


def expiring(journal: Journal, follows: Follows) -> Callable[[AsyncSession, int], Awaitable[Batch]]:
    """The step that writes what has expired, the longest ago first."""

    async def step(session: AsyncSession, now: int) -> Batch:
        over = select(_CONSENT.c.id).where(OPEN, _CONSENT.c.end_at <= now)
        oldest = over.order_by(_CONSENT.c.end_at, _CONSENT.c.id).limit(AT_ONCE)
        ids = (await session.execute(oldest.with_for_update(skip_locked=True))).scalars().all()
        for consent in await held(session, ids):
            await follows.ended(session, await lasting.expire(session, journal, consent, now))
        return Batch(len(ids), len(ids) == AT_ONCE)

    return step


async def held(session: AsyncSession, ids: Sequence[str]) -> list[Consent]:
    """Consents this transaction has locked already, in the order in which citizens are locked."""
    found = [await repository.load(session, id) for id in ids]
    return sorted((one for one in found if one is not None), key=lambda one: (one.subject, one.id))
