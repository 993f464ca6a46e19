"""SQL of lists of consents: a citizen's own, by how they stand; those that end soon. Never commits."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ColumnElement, TextClause, and_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from consent.records import Consent, State
from consent.repository import decode, open_of_subject
from consent.subjects import SubjectId
from consent.tables import OPEN, OVER, PENDING, ConsentRow, table_of

_CONSENT = table_of(ConsentRow)
Place = tuple[int, str]
"""Where a page ended: the moment and the id of its last row."""


class Show(StrEnum):
    """What part of the consents a list shows, as they stand at the moment it is asked for."""

    ALL = "all"
    WAITING = "waiting"
    ACTIVE = "active"
    PAUSED = "paused"
    WITHDRAWING = "withdrawing"
    ENDED = "ended"


class Sort(StrEnum):
    """In what order: the newest first; or what ends soonest first, of all those that still last."""

    NEWEST = "newest"
    ENDING = "ending"


async def of_citizen(
    session: AsyncSession,
    subject: SubjectId,
    *,
    at: int,
    show: Show = Show.ALL,
    sort: Sort = Sort.NEWEST,
    limit: int,
    before: Place | None = None,
) -> list[Consent]:
    """At most `limit` of the citizen's consents; `before` is the place where the page before ended.

    A consent past its end counts as ended whether that is written or not. What is in force or paused is read
    without the past: few are, and a store left to guess would rather read everything in order.
    """
    if show in (Show.ACTIVE, Show.PAUSED):
        mine = [one for one in await open_of_subject(session, subject, at) if one.state.value == show.value]
        return _page(mine, sort, before)[:limit]
    query = select(_CONSENT).where(_CONSENT.c.subject_id == subject, *_standing(show, at))
    if sort is Sort.ENDING:
        query = query.where(OPEN, _CONSENT.c.end_at > at) if show is Show.ALL else query
        if before is not None:
            query = query.where(tuple_(_CONSENT.c.end_at, _CONSENT.c.id) > before)
        query = query.order_by(_CONSENT.c.end_at, _CONSENT.c.id)
    else:
        if before is not None:
            query = query.where(tuple_(_CONSENT.c.created_at, _CONSENT.c.id) < before)
        query = query.order_by(_CONSENT.c.created_at.desc(), _CONSENT.c.id.desc())
    return [decode(row) for row in (await session.execute(query.limit(limit))).mappings()]


async def ending(
    session: AsyncSession, subject: SubjectId, *, after: int, until: int, limit: int
) -> list[Consent]:
    """The citizen's consents in force whose end lies in (`after`, `until`], the soonest first."""
    query = select(_CONSENT).where(_CONSENT.c.subject_id == subject, OPEN)
    query = query.where(_CONSENT.c.state == State.ACTIVE.value)
    query = query.where(_CONSENT.c.end_at > after, _CONSENT.c.end_at <= until)
    soonest = query.order_by(_CONSENT.c.end_at, _CONSENT.c.id).limit(limit)
    return [decode(row) for row in (await session.execute(soonest)).mappings()]


def _page(consents: list[Consent], sort: Sort, before: Place | None) -> list[Consent]:
    """What comes after `before`, in order."""
    newest = sort is Sort.NEWEST
    found = sorted(consents, key=lambda one: place_of(one, sort), reverse=newest)
    if before is None:
        return found
    return [
        one for one in found if (place_of(one, sort) < before if newest else place_of(one, sort) > before)
    ]


def place_of(consent: Consent, sort: Sort) -> Place:
    """Where a list in this order stands at `consent`."""
    return (consent.terms.end_at if sort is Sort.ENDING else consent.created_at, consent.id)


def _standing(show: Show, at: int) -> tuple[ColumnElement[bool] | TextClause, ...]:
    state, living = _CONSENT.c.state, _CONSENT.c.end_at > at
    match show:
        case Show.ALL:
            return ()
        case Show.WAITING:
            return (PENDING,)
        case Show.WITHDRAWING:
            return (state == State.WITHDRAWING.value,)
    over = and_(OVER, state != State.WITHDRAWING.value)
    return (or_(over, and_(OPEN, ~living)),)
