"""SQL of the consents one client received, as far as the client may know of them. Never commits."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from consent.records import Consent, Move, State
from consent.repository import decode
from consent.tables import OPEN, ConsentRow, ConsentVersionRow, tables_of

_CONSENT, _VERSION = tables_of(ConsentRow, ConsentVersionRow)
Place = tuple[int, str]
"""Where a page ended: the moment of the last move (epoch seconds) and the consent's id."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What part of a client's consents: in a state, for a purpose, moved since (epoch seconds)."""

    state: State | None = None
    purpose: str | None = None
    since: int | None = None


async def of_client(
    session: AsyncSession, client_id: str, wanted: Wanted, *, at: int, limit: int, after: Place | None = None
) -> list[Consent]:
    """At most `limit` consents that were ever given to the client, in the order of their last move.

    `after` is where the page before ended. A consent past its end is expired, written or not.
    """
    query = select(_CONSENT).where(_CONSENT.c.client_id == client_id, _given())
    if wanted.state is not None:
        query = query.where(_standing(wanted.state, at))
    if wanted.purpose is not None:
        query = query.where(_CONSENT.c.purpose == wanted.purpose)
    if wanted.since is not None:
        query = query.where(_CONSENT.c.changed_at >= wanted.since)
    if after is not None:
        query = query.where(tuple_(_CONSENT.c.changed_at, _CONSENT.c.id) > after)
    oldest = query.order_by(_CONSENT.c.changed_at, _CONSENT.c.id).limit(limit)
    return [decode(row) for row in (await session.execute(oldest)).mappings()]


async def one_of_client(session: AsyncSession, client_id: str, consent_id: str) -> Consent | None:
    """The client's consent with this id, if it was ever given; None for any other."""
    query = select(_CONSENT).where(_CONSENT.c.id == consent_id, _CONSENT.c.client_id == client_id, _given())
    row = (await session.execute(query)).mappings().one_or_none()
    return None if row is None else decode(row)


def _given() -> ColumnElement[bool]:
    """What was asked and never answered with yes is no consent."""
    return exists().where(_VERSION.c.consent_id == _CONSENT.c.id, _VERSION.c.move == Move.GIVE.value)


def _standing(state: State, at: int) -> ColumnElement[bool]:
    stored, living = _CONSENT.c.state == state.value, _CONSENT.c.end_at > at
    if state in (State.ACTIVE, State.PAUSED):
        return and_(stored, living)
    return or_(stored, and_(OPEN, ~living)) if state is State.EXPIRED else stored
