"""What is kept of a citizen between consents: the links holders know them by; and the citizen in the end.

A citizen is forgotten when no record of a consent is left and the last sign-in is as long ago: the key goes,
so that nothing in the ledger can be tied to a person any more. The ledger itself stays whole and checkable.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.account_tables import AccountLabelRow, AccountListRow
from consent.journal import Journal
from consent.ledger_tables import PAYLOAD
from consent.mandates import MandateRow
from consent.notices import NoticeRow
from consent.subjects import SUBJECT, SubjectId
from consent.tables import OPEN, OVER, ConsentRow, HolderLinkRow, table_of, tables_of
from gateway.retention.batch import ROWS, Batch
from gateway.retention.rights import none_of
from gateway.retention.schedule import due
from gateway.security.ages import CitizenAgeRow
from gateway.security.tables import CitizenRow, CitizenSessionRow

CITIZENS_AT_ONCE = 10

_CONSENT, _LINK = tables_of(ConsentRow, HolderLinkRow)
_AGE, _CITIZEN, _SESSION = tables_of(CitizenAgeRow, CitizenRow, CitizenSessionRow)
_NOTICE = table_of(NoticeRow)
_MANDATE = table_of(MandateRow)
_LABEL, _LIST = tables_of(AccountLabelRow, AccountListRow)


async def drop_links(session: AsyncSession, subjects: Sequence[str], before: int) -> int:
    """Delete the links of citizens none of whose consents lives or has ended after `before`; how many.

    The names of accounts they chose go under the same rule.
    """
    dropped = 0
    for table in (_LABEL, _LINK):
        gone = delete(table).where(table.c.subject_id.in_(subjects), table.c.made_at <= before)
        mine = _CONSENT.c.subject_id == table.c.subject_id
        living = exists().where(mine, OPEN, _CONSENT.c.end_at > before)
        lately = exists().where(mine, OVER, _CONSENT.c.changed_at > before)
        found = await session.execute(gone.where(~living, ~lately).returning(table.c.holder))
        dropped += len(found.all())
    return dropped


def forgetting(journal: Journal, party: str) -> Callable[[AsyncSession, int], Awaitable[Batch]]:
    """The step that forgets citizens of whom nothing is left to record; the ledger says so for each."""

    async def step(session: AsyncSession, now: int) -> Batch:
        before = due("citizen", now)
        query = select(_AGE.c.subject_id).where(_AGE.c.told_at <= before, *_free(_AGE.c.subject_id))
        oldest = query.order_by(_AGE.c.told_at).limit(CITIZENS_AT_ONCE)
        locked = oldest.with_for_update(of=_AGE, skip_locked=True)
        subjects = (await session.execute(locked)).scalars().all()
        if subjects and (thinned := await _thin(session, subjects)):
            return Batch(thinned, True)
        for subject in subjects:
            await _forget(session, journal, SubjectId(subject), party, now)
        return Batch(len(subjects), len(subjects) == CITIZENS_AT_ONCE)

    return step


def _free(subject: ColumnElement[str]) -> tuple[ColumnElement[bool], ...]:
    """That nothing of a citizen needs the key any more: no record of a consent or request, nobody signed in.

    The first consent is asked for, in order: so a store goes to it by the index, whatever it believes of how
    many there are.
    """
    first = select(_CONSENT.c.id).where(_CONSENT.c.subject_id == subject).order_by(_CONSENT.c.created_at)
    signed_in = exists().where(_SESSION.c.subject_id == subject)
    return first.limit(1).scalar_subquery().is_(None), ~signed_in, none_of(subject)


async def _thin(session: AsyncSession, subjects: Sequence[str]) -> int:
    """Delete openings beyond one batch first, so that forgetting never takes one long transaction."""
    mine = select(PAYLOAD.c.outbox_id).where(PAYLOAD.c.subject.in_(subjects)).order_by(PAYLOAD.c.outbox_id)
    found = (await session.execute(mine.limit(ROWS + 1))).scalars().all()
    if len(found) <= ROWS:
        return 0
    await session.execute(delete(PAYLOAD).where(PAYLOAD.c.outbox_id.in_(found[:ROWS])))
    return ROWS


async def _forget(session: AsyncSession, journal: Journal, subject: SubjectId, party: str, at: int) -> None:
    for table in (_LABEL, _LIST, _LINK, _NOTICE, _AGE, _CITIZEN):
        await session.execute(delete(table).where(table.c.subject_id == subject))
    await session.execute(delete(_MANDATE).where(_MANDATE.c.subject_id == subject))
    await session.execute(delete(_MANDATE).where(_MANDATE.c.actor_id == subject))
    query = select(SUBJECT.c.id).where(SUBJECT.c.id == subject, SUBJECT.c.wrapped.is_not(None))
    if (await session.execute(query)).one_or_none() is not None:
        await journal.forget(session, subject, party=party, at=at)
