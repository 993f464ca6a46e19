"""All SQL of the support doors: one citizen's consents as they were given, and when each began and ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from consent.records import Consent, Move
from consent.repository import decode
from consent.subjects import SubjectId
from consent.tables import ConsentRow, ConsentVersionRow, tables_of

_CONSENT, _VERSION = tables_of(ConsentRow, ConsentVersionRow)
_ENDINGS = (Move.WITHDRAW, Move.REVOKE, Move.INVALIDATE)
Place = tuple[int, str]
"""Where a page ended: when the consent was asked (epoch seconds), and its id."""


async def given_by(
    session: AsyncSession, subject: SubjectId, *, limit: int, before: Place | None = None
) -> list[Consent]:
    """At most `limit` consents the citizen ever gave, ended ones too, newest first."""
    given = exists().where(_VERSION.c.consent_id == _CONSENT.c.id, _VERSION.c.move == Move.GIVE.value)
    query = select(_CONSENT).where(_CONSENT.c.subject_id == subject, given)
    if before is not None:
        query = query.where(tuple_(_CONSENT.c.created_at, _CONSENT.c.id) < before)
    newest = query.order_by(_CONSENT.c.created_at.desc(), _CONSENT.c.id.desc()).limit(limit)
    return [decode(row) for row in (await session.execute(newest)).mappings()]


async def moments(session: AsyncSession, consents: Sequence[Consent]) -> Mapping[tuple[str, Move], int]:
    """When each was given and when it ended by a move, by consent and move (epoch seconds)."""
    wanted = [move.value for move in (Move.GIVE, *_ENDINGS)]
    query = select(_VERSION.c.consent_id, _VERSION.c.move, _VERSION.c.at)
    mine = _VERSION.c.consent_id.in_([consent.id for consent in consents])
    rows = await session.execute(query.where(mine, _VERSION.c.move.in_(wanted)))
    return {(row.consent_id, Move(row.move)): row.at for row in rows}


def ended_at(consent: Consent, known: Mapping[tuple[str, Move], int]) -> int | None:
    """When it was withdrawn, revoked or found invalid; None if it was not."""
    return next((known[consent.id, move] for move in _ENDINGS if (consent.id, move) in known), None)
