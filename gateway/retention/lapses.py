"""Requests nobody answered in time lapse: a record of one says so, with one entry; nothing was ever given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import asking, repository
from consent.journal import Journal
from consent.tables import PENDING, ConsentRow, table_of
from gateway.oauth.interactions import REQUESTS
from gateway.retention.batch import Batch

LAPSES_AT_ONCE = 50

_CONSENT = table_of(ConsentRow)


def lapsing(journal: Journal) -> Callable[[AsyncSession, int], Awaitable[Batch]]:
    """The step that ends what waits under a request whose time is over, is gone, or is answered otherwise.

    Oldest first; those another process holds are left to it.
    """

    async def step(session: AsyncSession, now: int) -> Batch:
        joined = _CONSENT.outerjoin(REQUESTS, REQUESTS.c.interaction_id == _CONSENT.c.request_id)
        over = or_(REQUESTS.c.answer_by.is_(None), REQUESTS.c.answer_by <= now)
        query = select(_CONSENT.c.id).select_from(joined).where(PENDING, over)
        oldest = query.order_by(_CONSENT.c.created_at, _CONSENT.c.id).limit(LAPSES_AT_ONCE)
        taken = await session.execute(oldest.with_for_update(of=_CONSENT, skip_locked=True))
        ids = taken.scalars().all()
        for id in ids:
            waiting = await repository.load(session, id, lock=True)
            if waiting is not None:
                await asking.lapse(session, journal, waiting, at=now)
        return Batch(len(ids), len(ids) == LAPSES_AT_ONCE)

    return step
