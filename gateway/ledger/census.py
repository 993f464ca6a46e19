"""Takes a census of the log: everybody's count of events, its root and total stated in the log itself."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from consent.journal import Journal
from consent.ledger.census import ERASED, Census, Member
from consent.ledger.entry import decode
from consent.ledger_tables import CENSUS, ENTRY, PAYLOAD
from consent.subjects import SUBJECT, SubjectId, SubjectKey, SubjectKeys
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger import repository
from gateway.ledger.removing import removed
from gateway.ledger.statements import forget_older, state

_ONLY = 1
_BATCH = 4096
_TRIES = 50
"""How often, a tenth of a second apart, the log is asked for while another process moves it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A census over the first `size` entries, and the position of the entry that says so."""

    size: int
    position: int
    census: Census


async def take(database: Database, journal: Journal, *, at: int) -> Taken:
    """Count everybody's events in the published log and state root and total; `at` is epoch seconds.

    Events of citizens who were forgotten are counted together under one key. The tree is made anew each time.
    Everybody who has the entries can count again: the statement is opened to all. Raises Problem `not_found`
    before the first checkpoint, `ledger_behind` when another process moves the log for long.
    """
    async with database.reading() as session:
        published = await repository.checkpoint(session)
        if published is None:
            raise Problem("not_found", detail="no checkpoint was signed yet")
        size = published[0]
        members = await _members(session, journal.keys, size)
        tagged = await _tagged(session, size)
    known = sum(member.n for member in members)
    census = Census([*members, Member(ERASED, tagged - known, ERASED)])
    root, total = census.root
    body = {
        "size": size,
        "root": base64.b64encode(root).decode(),
        "total": total,
        "members": len(census.members),
    }
    for _ in range(_TRIES):
        async with database.transaction() as session:
            if await repository.lock(session):
                return Taken(size, await _stated(session, journal, body, census, at), census)
        await asyncio.sleep(0.1)
    raise Problem("ledger_behind", detail="another process moves the log", retry_after=1)


async def _stated(
    session: AsyncSession, journal: Journal, body: dict[str, object], census: Census, at: int
) -> int:
    """Say it in the log and keep the tree: the position of the entry. The caller holds the log's lock."""
    kind = Event.LEDGER_CENSUS_TAKEN
    origin = (await repository.head(session)).origin
    position = await state(session, journal, kind, body, at=at, origin=origin)
    await forget_older(session, kind)
    await session.execute(delete(CENSUS))
    row = {"id": _ONLY, "size": body["size"], "position": position, "members": census.encode()}
    await session.execute(insert(CENSUS).values(row))
    return position


async def last(session: AsyncSession) -> Taken | None:
    """The census taken last, if any."""
    row = (await session.execute(select(*CENSUS.c))).one_or_none()
    return Taken(row.size, row.position, Census.decode(row.members)) if row else None


def counted(taken: Taken, key: SubjectKey) -> dict[str, object] | None:
    """What the census says of one citizen, with its proof; None for one who came later."""
    try:
        index, path = taken.census.prove(key.census_key())
    except KeyError:
        return None
    member = taken.census.members[index]
    return {
        "h": _text(member.h),
        "n": member.n,
        "head": _text(member.head),
        "index": index,
        "members": len(taken.census.members),
        "path": [[_text(node), total] for node, total in path],
    }


async def _members(session: AsyncSession, keys: SubjectKeys, size: int) -> list[Member]:
    """Everybody who is not forgotten and has an event among the first `size` entries."""
    joined = PAYLOAD.join(ENTRY, ENTRY.c.outbox_id == PAYLOAD.c.outbox_id)
    newest = (
        select(PAYLOAD.c.subject, func.max(PAYLOAD.c.n).label("n"))
        .select_from(joined)
        .where(PAYLOAD.c.subject.is_not(None), ENTRY.c.position < size)
        .group_by(PAYLOAD.c.subject)
        .subquery()
    )
    both = newest.join(SUBJECT, SUBJECT.c.id == newest.c.subject).join(
        PAYLOAD, (PAYLOAD.c.subject == newest.c.subject) & (PAYLOAD.c.n == newest.c.n)
    )
    query = select(SUBJECT.c.id, SUBJECT.c.wrapped, newest.c.n, PAYLOAD.c.leaf).select_from(both)
    rows = (await session.execute(query.where(SUBJECT.c.wrapped.is_not(None)))).all()
    return [Member(keys.unwrap(SubjectId(row.id), row.wrapped).census_key(), row.n, row.leaf) for row in rows]


async def _tagged(session: AsyncSession, size: int) -> int:
    """How many of the first `size` entries concern somebody: counted from the log, not from beside it."""
    found = sum(tagged for _, end, tagged in await removed(session, size) if end <= size)
    for start in range(0, size, _BATCH):
        query = select(ENTRY.c.entry).where(
            ENTRY.c.position >= start, ENTRY.c.position < min(size, start + _BATCH)
        )
        entries = (await session.execute(query)).scalars()
        found += sum(decode(entry).tag is not None for entry in entries)
    return found


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
