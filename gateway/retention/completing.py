"""A withdrawal whose last party has let its deadline pass is completed here, the silent named.

Any number of processes may, as in `expiring`: consents nobody else holds first, then citizens in the order of
their ids. Killed anywhere, all of a batch is complete, or none of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import endings
from consent.ending_tables import EndingPartyRow
from consent.journal import Journal
from consent.tables import WITHDRAWING, ConsentRow, tables_of
from gateway.retention.batch import Batch
from gateway.retention.expiring import AT_ONCE, held

_CONSENT, _PARTY = tables_of(ConsentRow, EndingPartyRow)


def completing(journal: Journal) -> Callable[[AsyncSession, int], Awaitable[Batch]]:
    """The step that completes withdrawals that wait for nobody any more, the oldest first."""

    async def step(session: AsyncSession, now: int) -> Batch:
        open_ = (_PARTY.c.answer == endings.Answer.WAITING.value) & (_PARTY.c.deadline_at > now)
        waiting = exists().where(_PARTY.c.consent_id == _CONSENT.c.id, open_)
        oldest = (
            select(_CONSENT.c.id).where(WITHDRAWING, ~waiting).order_by(_CONSENT.c.changed_at).limit(AT_ONCE)
        )
        locked = oldest.with_for_update(of=_CONSENT, skip_locked=True)
        ids = (await session.execute(locked)).scalars().all()
        for consent in await held(session, ids):
            await endings.complete(session, journal, consent, at=now)
        return Batch(len(ids), len(ids) == AT_ONCE)

    return step
