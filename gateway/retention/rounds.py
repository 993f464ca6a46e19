"""Once a day every living consent is looked at: is it used, does it run out, is it time to remind of it?

    not used for six months                    paused by the gateway; the citizen is told, one tap resumes it
    paused, and not used for twelve months     expired by the gateway; what is kept then goes by the schedule
    a month before its last day                the citizen is told that it can be renewed
    every ninety days                          the citizen is reminded that it is there

Used is: something was sent, or somebody but the gateway moved it (given, resumed, renewed, narrowed, paused).
The round goes on where it stopped; of several processes one goes round. Months are Korean calendar months.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, Select, exists, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent import lasting, notices, repository
from consent.calendar import Period, day_begins, korean_day_of
from consent.catalogue import Catalogue
from consent.journal import Journal
from consent.notices import NoticeKind
from consent.records import IDLE, By, Consent, State
from consent.renewal import renewed
from consent.repository import insert_or_keep
from consent.subjects import SUBJECT
from consent.tables import (
    OPEN,
    SENT,
    ConsentRow,
    ConsentVersionRow,
    TransferItemOutcomeRow,
    tables_of,
)
from gateway.oauth.lasting import follow
from gateway.retention.batch import Batch
from gateway.retention.expiring import Follows, held
from gateway.retention.tables import RetentionCursorRow

PAUSED_AFTER = Period(months=6)
ENDED_AFTER = Period(months=12)
REMINDED_EVERY = 90 * 86_400
REMINDED_WITHIN = 7 * 86_400
"""A reminder that could not be left for so long (the gateway was off) waits for the next."""
VISITS = 100

_CONSENT, _VERSION, _OUTCOME = tables_of(ConsentRow, ConsentVersionRow, TransferItemOutcomeRow)
_CURSOR = RetentionCursorRow.__table__  # type: ignore[attr-defined]
_PLACE, _DAY = "round", "round/day"
_DONE = 2**62


@dataclass(frozen=True, slots=True)
class Round:
    """The daily round. Keeps no state but in the store."""

    journal: Journal
    catalogue: Catalogue
    follows: Follows

    async def step(self, session: AsyncSession, now: int) -> Batch:
        """Look at the next consents of today's round; nothing when it is done, or another process goes."""
        place = await _held(session, now)
        if place is None or place.at == _DONE:
            return Batch(0, False)
        rows = (await session.execute(_next(place, now))).all()
        ids = [row.id for row in rows]
        done = len(rows) < VISITS
        await _put(session, _PLACE, *((_DONE, "") if done else (rows[-1].end_at, rows[-1].id)))
        moved = await self._stop_unused(session, ids, now)
        for id in ids:
            if id not in moved and (consent := await repository.load(session, id)) is not None:
                await self._tell(session, consent, now)
        return Batch(len(moved), not done)

    async def _stop_unused(self, session: AsyncSession, ids: Sequence[str], now: int) -> set[str]:
        """Pause what nobody has used for long, expire what was paused and unused for longer; which."""
        unused = await _unused(session, ids, since=_long_ago(PAUSED_AFTER, now), active=True)
        over = await _unused(session, ids, since=_long_ago(ENDED_AFTER, now), active=False)
        for before in await held(session, [*unused, *over]):
            about = f"{before.id}#{before.version}"
            if before.state is State.PAUSED:
                after = await lasting.expire(session, self.journal, before, now, why=IDLE)
                await self.follows.ended(session, after)
                await notices.leave(session, before.subject, NoticeKind.IDLE_ENDED, about, now)
            else:
                after = await lasting.stop_unused(session, self.journal, before, now)
                await follow(session, after)
                await self.follows.changed(session, before, after)
                await notices.leave(session, before.subject, NoticeKind.IDLE_PAUSED, about, now)
        return {*unused, *over}

    async def _tell(self, session: AsyncSession, consent: Consent, now: int) -> None:
        """Leave the citizen the notices that are due; each once, however often the round comes by."""
        purpose = self.catalogue.purposes.get(consent.terms.purpose)
        if purpose and renewed(consent, purpose.max_period, korean_day_of(now)):
            about = f"{consent.id}#{consent.terms.end.isoformat()}"
            await notices.leave(session, consent.subject, NoticeKind.RENEWAL, about, now)
        times, past = divmod(now - consent.created_at, REMINDED_EVERY)
        if times > 0 and past < REMINDED_WITHIN and consent.alive(now):
            await notices.leave(session, consent.subject, NoticeKind.REMINDER, f"{consent.id}#{times}", now)


def _long_ago(period: Period, now: int) -> int:
    """The instant before which the last use must lie."""
    return day_begins(period.before(korean_day_of(now)))


def _next(place: Row[tuple[int, str]], now: int) -> Select[tuple[str, int]]:
    query = select(_CONSENT.c.id, _CONSENT.c.end_at).where(OPEN, _CONSENT.c.end_at > now)
    query = query.where(tuple_(_CONSENT.c.end_at, _CONSENT.c.id) > tuple_(place.at, place.id))
    return query.order_by(_CONSENT.c.end_at, _CONSENT.c.id).limit(VISITS)


async def _unused(session: AsyncSession, ids: Sequence[str], *, since: int, active: bool) -> Sequence[str]:
    """Of `ids` those nobody used since then, held against everybody; whoever is at one just now uses it.

    Of a citizen whose record was erased nothing is moved: nothing flows, and no entry could name them.
    """
    sent = exists().where(_OUTCOME.c.consent_id == _CONSENT.c.id, SENT, _OUTCOME.c.at >= since)
    moved = exists().where(
        _VERSION.c.consent_id == _CONSENT.c.id, _VERSION.c.at >= since, _VERSION.c.by != By.GATEWAY.value
    )
    known = exists().where(SUBJECT.c.id == _CONSENT.c.subject_id, SUBJECT.c.wrapped.is_not(None))
    state = _CONSENT.c.state == (State.ACTIVE if active else State.PAUSED).value
    query = select(_CONSENT.c.id).where(_CONSENT.c.id.in_(ids), state, ~sent, ~moved, known)
    locked = query.order_by(_CONSENT.c.id).with_for_update(of=_CONSENT, skip_locked=True)
    return (await session.execute(locked)).scalars().all()


async def _held(session: AsyncSession, now: int) -> Row[tuple[int, str]] | None:
    """Where the round of today stands, held against other processes; None while one of them goes."""
    today = day_begins(korean_day_of(now))
    for job in (_PLACE, _DAY):
        begun = insert_or_keep(session, _CURSOR, "job").values(job=job, at=-1, id="")
        await session.execute(begun)
    query = select(_CURSOR.c.at, _CURSOR.c.id).where(_CURSOR.c.job == _PLACE)
    place = (await session.execute(query.with_for_update(skip_locked=True))).one_or_none()
    if place is None:
        return None
    of_day = (await session.execute(select(_CURSOR.c.at).where(_CURSOR.c.job == _DAY))).scalar_one()
    if of_day >= today:
        return place
    await _put(session, _DAY, today, "")
    await _put(session, _PLACE, -1, "")
    return (await session.execute(query)).one()


async def _put(session: AsyncSession, job: str, at: int, id: str) -> None:
    await session.execute(update(_CURSOR).where(_CURSOR.c.job == job).values(at=at, id=id))
