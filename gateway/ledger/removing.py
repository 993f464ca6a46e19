"""Removes entries whose time is over: hashes stay, so every proof holds; the log itself names the gap."""

from __future__ import annotations

from sqlalchemy import Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from consent.journal import Journal
from consent.ledger.entry import decode
from consent.ledger.tree import TILE_WIDTH
from consent.ledger_tables import ENTRY, INDEX, PAYLOAD
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger import repository
from gateway.ledger.statements import bodies, state

MAX_REASON = 200


async def removed(session: AsyncSession, size: int) -> list[tuple[int, int, int]]:
    """First, end and number of entries about citizens of every range the log says it removed."""
    said = await bodies(session, Event.LEDGER_ENTRIES_REMOVED, size)
    return [(int(str(b["first"])), int(str(b["end"])), int(str(b["tagged"]))) for b in said]


async def remove(
    database: Database, journal: Journal, end: int, *, reason: str, at: int
) -> tuple[int, int, int]:
    """Remove the entries before position `end` that are still there: first, end, how many concerned somebody.

    The entry that says so commits with the removal. Only whole bundles of what is published can go, and none
    that a citizen's record still opens: Problem `invalid_request`, `ledger_entries_needed`. Problem
    `ledger_behind` while another process moves the log: try again.
    """
    async with database.transaction() as session:
        if not await repository.lock(session):
            raise Problem("ledger_behind", detail="another process moves the log", retry_after=1)
        head, published = await repository.head(session), await repository.checkpoint(session)
        first = max([0, *(end for _, end, _ in await removed(session, head.size))])
        size = published[0] if published else 0
        if end % TILE_WIDTH or not first < end <= size or not 0 < len(reason) <= MAX_REASON:
            what = f"a position that is a multiple of {TILE_WIDTH}, above {first} and at most {size}"
            raise Problem("invalid_request", params={"what": what})
        inside = ENTRY.c.position >= first, ENTRY.c.position < end
        ids: Select[int] = select(ENTRY.c.outbox_id).where(*inside)
        opens = select(func.count()).select_from(PAYLOAD).where(PAYLOAD.c.subject.is_not(None))
        if needed := (await session.execute(opens.where(PAYLOAD.c.outbox_id.in_(ids)))).scalar_one():
            raise Problem("ledger_entries_needed", detail=f"citizens' records open {needed} of them")
        entries = (await session.execute(select(ENTRY.c.entry).where(*inside))).scalars()
        tagged = sum(decode(entry).tag is not None for entry in entries)
        await session.execute(delete(PAYLOAD).where(PAYLOAD.c.outbox_id.in_(ids)))
        await session.execute(delete(INDEX).where(INDEX.c.position >= first, INDEX.c.position < end))
        await session.execute(delete(ENTRY).where(*inside))
        body = {"first": first, "end": end, "tagged": tagged, "reason": reason}
        await state(session, journal, Event.LEDGER_ENTRIES_REMOVED, body, at=at, origin=head.origin)
    return first, end, tagged
