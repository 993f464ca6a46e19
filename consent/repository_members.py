"""All SQL of consortia and of the links by which holders know citizens. Never commits."""

from __future__ import annotations

import orjson
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.calendar import korean_day_of
from consent.consortium import Consortium
from consent.repository import insert_or_keep
from consent.subjects import SubjectId
from consent.tables import ConsortiumRow, HolderLinkRow, table_of

_CONSORTIUM = table_of(ConsortiumRow)
_LINK = table_of(HolderLinkRow)
_SETS = ("holders", "recipients", "sectors", "purposes")


async def register_consortium(session: AsyncSession, consortium: Consortium, at: int) -> None:
    """Store the consortium's record, in place of an older one with the same id."""
    values = consortium.document()
    for name in _SETS:
        values[name] = orjson.dumps(values[name]).decode()
    await session.execute(delete(_CONSORTIUM).where(_CONSORTIUM.c.id == consortium.id))
    await session.execute(insert(_CONSORTIUM).values(**values, changed_at=at))


async def consortia(session: AsyncSession) -> list[Consortium]:
    """Every registered consortium, by id."""
    rows = await session.execute(select(_CONSORTIUM).order_by(_CONSORTIUM.c.id))
    return [
        Consortium(
            id=row["id"],
            contract=row["contract"],
            **{name: frozenset(orjson.loads(row[name])) for name in _SETS},
            start=korean_day_of(row["start_at"]),
            end=korean_day_of(row["end_at"] - 1),
        )
        for row in rows.mappings()
    ]


async def keep_link(session: AsyncSession, subject: SubjectId, holder: str, sealed: bytes, at: int) -> bool:
    """Store the sealed link of a citizen at a holder; False if there is one already (it stays)."""
    statement = insert_or_keep(session, _LINK, "subject_id", "holder")
    values = {"subject_id": subject, "holder": holder, "sealed": sealed, "made_at": at}
    done = await session.execute(statement.values(**values).returning(_LINK.c.holder))
    return done.one_or_none() is not None


async def links(session: AsyncSession, subject: SubjectId) -> dict[str, bytes]:
    """The sealed links of one citizen by holder id."""
    query = select(_LINK.c.holder, _LINK.c.sealed).where(_LINK.c.subject_id == subject)
    return {row.holder: row.sealed for row in await session.execute(query)}


async def drop_links(session: AsyncSession, subject: SubjectId) -> None:
    """Forget every link of one citizen (erasure)."""
    await session.execute(delete(_LINK).where(_LINK.c.subject_id == subject))
