"""Citizens' requests for their own data, three years after they ended; and what is told once a year.

The yearly notice (Decree 42-6(12)) goes to whoever has a living consent: first a year after a consent began,
then a year after the notice before. Both are walks over moments, so a tick costs what became due.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import notices
from consent.calendar import korean_day_of
from consent.events import Event
from consent.journal import Journal
from consent.notices import NoticeKind, NoticeRow
from consent.rights_tables import DONE, SelfRequestRow
from consent.subjects import SubjectError, SubjectId
from consent.tables import OPEN, ConsentRow, tables_of
from gateway.policy.tables import PolicyDecisionRow
from gateway.retention.batch import ROWS, Batch, Step
from gateway.retention.schedule import due
from gateway.retention.walk import Visit, Walk

YEAR_SECONDS = 365 * 86_400
_EARLY = 5 * 86_400
"""Two walks may come to one citizen a few days apart: one notice is enough."""

_CONSENT, _NOTICE, _REQUEST = tables_of(ConsentRow, NoticeRow, SelfRequestRow)
(_DECISION,) = tables_of(PolicyDecisionRow)
_YEARLY = text("kind = 'yearly'")
_GIVEN = text("state NOT IN ('requested', 'deferred', 'refused')")


async def forget_self_requests(session: AsyncSession, now: int) -> Batch:
    """Delete requests that ended long ago, each with the decision it rests on."""
    over = select(_REQUEST.c.id).where(DONE, _REQUEST.c.changed_at <= due("self_request", now))
    oldest = over.order_by(_REQUEST.c.changed_at, _REQUEST.c.id).limit(ROWS)
    ids = (await session.execute(oldest.with_for_update(skip_locked=True))).scalars().all()
    if ids:
        await session.execute(delete(_DECISION).where(_DECISION.c.request_id.in_(ids)))
        await session.execute(delete(_REQUEST).where(_REQUEST.c.id.in_(ids)))
    return Batch(len(ids), len(ids) == ROWS)


def none_of(subject: ColumnElement[str]) -> ColumnElement[bool]:
    """That no request of a citizen is kept any more."""
    return ~exists().where(_REQUEST.c.subject_id == subject)


def yearly(journal: Journal, party: str) -> tuple[Step, ...]:
    """The two walks; `party` is the operator's code in the ledger."""
    tell = _telling(journal, party)
    begun, told = _CONSENT.c.created_at, _NOTICE.c.at
    first = Walk("yearly/begun", begun, _CONSENT.c.id, _CONSENT.c.subject_id, YEAR_SECONDS, tell, _GIVEN)
    again = Walk("yearly/again", told, _NOTICE.c.id, _NOTICE.c.subject_id, YEAR_SECONDS, tell, _YEARLY)
    return first.step, again.step


def _telling(journal: Journal, party: str) -> Visit:
    async def tell(session: AsyncSession, subjects: Sequence[str], before: int) -> int:
        at = before + YEAR_SECONDS
        told = 0
        for subject in sorted(subjects):
            if await _lives(session, subject, at) and not await _told(session, subject, before + _EARLY):
                told += await _tell(session, journal, SubjectId(subject), party, at)
        return told

    return tell


async def _lives(session: AsyncSession, subject: str, at: int) -> bool:
    query = select(_CONSENT.c.id).where(_CONSENT.c.subject_id == subject, OPEN, _CONSENT.c.end_at > at)
    return (await session.execute(query.limit(1))).first() is not None


async def _told(session: AsyncSession, subject: str, since: int) -> bool:
    mine = (_NOTICE.c.subject_id == subject) & (_NOTICE.c.kind == NoticeKind.YEARLY.value)
    query = select(_NOTICE.c.id).where(mine, _NOTICE.c.at > since)
    return (await session.execute(query.limit(1))).first() is not None


async def _tell(session: AsyncSession, journal: Journal, subject: SubjectId, party: str, at: int) -> int:
    """Leave the notice and enter that the citizen was told; 1, or 0 when it was left already."""
    day = korean_day_of(at).isoformat()
    if not await notices.leave(session, subject, NoticeKind.YEARLY, day, at):
        return 0
    try:
        await journal.append(
            session, Event.RIGHTS_YEAR_TOLD, subject=subject, party=party, payload={"day": day}, at=at
        )
    except SubjectError:
        return 0
    return 1
