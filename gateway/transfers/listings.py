"""Authorizations that open nothing but a list of accounts (request type 0), until holders know they are over.

A row is there before the holder is asked, and is due when the question's time is over: one that lapses, put
off or not, needs nobody to end it. An answer, whichever, makes it due at once, in its own transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy import Table, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.repository import insert_or_keep
from consent.subjects import SubjectId
from gateway.oauth.interactions import REQUESTS
from gateway.transfers.tables import ListAuthorizationRow

VERSION = 1
"""The version a list authorization has at its holder: it never moves but to its end."""

_LIST: Table = ListAuthorizationRow.__table__  # type: ignore[attr-defined]


def listing_id(interaction_id: str) -> str:
    """What a question is called at holders: nobody can tell the question from it."""
    return "list-" + hashlib.sha256(f"account-list/{interaction_id}".encode()).hexdigest()[:40]


async def open_for(
    session: AsyncSession, interaction_id: str, subject: SubjectId, holders: Iterable[str], *, at: int
) -> bool:
    """Before holders are asked: what will have to be ended there. False, nothing stored, once it is answered.

    The question is held, so that an answer comes before or after this and never in between.
    """
    asked = select(REQUESTS.c.answer_by, REQUESTS.c.settled_at)
    asked = asked.where(REQUESTS.c.interaction_id == interaction_id).with_for_update(read=True)
    row = (await session.execute(asked)).one_or_none()
    if row is None or row.settled_at is not None:
        return False
    await open_until(session, interaction_id, subject, holders, at=at, ends=row.answer_by)
    return True


async def open_until(
    session: AsyncSession, question: str, subject: SubjectId, holders: Iterable[str], *, at: int, ends: int
) -> None:
    """Before holders are asked of a consent that stands: what will have to be ended there, at `ends`."""
    for holder in sorted(set(holders)):
        values = {"id": f"{question}/{holder}", "interaction_id": question, "holder": holder}
        values |= {"consent_id": listing_id(question), "subject_id": subject, "state": "waiting"}
        moments = {"opened_at": at, "next_at": ends, "attempts": 0}
        await session.execute(insert_or_keep(session, _LIST, "id").values(**values, **moments))


async def end_of(session: AsyncSession, interaction_id: str, *, at: int) -> None:
    """In the transaction of the answer, after it: holders are told at once that the list is not needed."""
    mine = update(_LIST).where(_LIST.c.interaction_id == interaction_id, _LIST.c.state == "waiting")
    await session.execute(mine.where(_LIST.c.next_at > at).values(next_at=at))


async def due(session: AsyncSession, now: int, limit: int = 20) -> Sequence[ListAuthorizationRow]:
    """Authorizations that are over and whose holder has not acknowledged it."""
    late = (_LIST.c.state == "waiting") & (_LIST.c.next_at <= now)
    query = select(ListAuthorizationRow).where(late).order_by(_LIST.c.next_at, _LIST.c.id).limit(limit)
    return (await session.execute(query)).scalars().all()


async def tell_later(session: AsyncSession, id: str, next_at: int) -> None:
    """The holder did not acknowledge; it is told again at `next_at`."""
    values = {"next_at": next_at, "attempts": _LIST.c.attempts + 1}
    await session.execute(update(_LIST).where(_LIST.c.id == id).values(**values))


async def acknowledged(session: AsyncSession, id: str, at: int) -> bool:
    """The holder knows; whether this was the first time it said so."""
    first = update(_LIST).where(_LIST.c.id == id, _LIST.c.state == "waiting")
    done = first.values(state="acknowledged", ended_at=at, attempts=_LIST.c.attempts + 1)
    return (await session.execute(done.returning(_LIST.c.id))).one_or_none() is not None
