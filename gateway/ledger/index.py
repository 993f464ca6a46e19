"""What entries say, to search by. Untrusted: derived from the log alone, rebuilt and compared at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.ledger.entry import decode
from consent.ledger_tables import ENTRY, INDEX, PAYLOAD
from gateway.ledger import repository

BATCH = 4096
MAX_FOUND = 1000
NARROW = 10_000
"""As many entries a window of time may hold and still be read by time and sorted by position."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; times are epoch seconds, `until` excluded; entries behind position `after`."""

    kind: str | None = None
    party: str | None = None
    since: int | None = None
    until: int | None = None
    after: int = -1
    limit: int = 100


async def indexed(session: AsyncSession) -> int:
    """How many entries the index covers, counted from the first."""
    top = (await session.execute(select(func.max(INDEX.c.position)))).scalar_one()
    return 0 if top is None else int(top) + 1


async def catch_up(session: AsyncSession) -> int:
    """Add at most BATCH entries the index lacks at its end; how many (none while another process does)."""
    if not await repository.lock(session):
        return 0
    start = await indexed(session)
    rows = [_row(*row) for row in await _entries(session, start)]
    if rows:
        await session.execute(insert(INDEX), rows)
    return len(rows)


async def clear(session: AsyncSession) -> None:
    """Forget the index; `catch_up` builds it again."""
    await session.execute(delete(INDEX))


async def differences(session: AsyncSession, start: int) -> tuple[list[int], int]:
    """Positions from `start` on where index and log disagree, and where to go on; the end when it stays."""
    entries = [_row(*row) for row in await _entries(session, start)]
    end = int(str(entries[-1]["position"])) + 1 if entries else start
    query = select(*INDEX.c).where(INDEX.c.position >= start)
    query = query.where(INDEX.c.position < end) if entries else query
    stored = {row.position: dict(row._mapping) for row in (await session.execute(query)).all()}
    wanted = {int(str(row["position"])): row for row in entries}
    wrong = [p for p in sorted(wanted.keys() | stored.keys()) if wanted.get(p) != stored.get(p)]
    return wrong, end


async def search(
    session: AsyncSession, query: Query, size: int, subject: str | None = None
) -> Sequence[Row[int, int, str, str]]:
    """Entries (position, at, kind, party) of the first `size` that match, in order, at most `query.limit`.

    With `subject` only that citizen's: what ties them to the citizen lies beside the log and ends with the
    citizen's key, so nobody who was forgotten is found.
    """
    found = select(INDEX.c.position, INDEX.c.at, INDEX.c.kind, INDEX.c.party)
    order: ColumnElement[Any] = INDEX.c.position
    if subject is not None:
        own = INDEX.join(ENTRY, ENTRY.c.position == INDEX.c.position)
        found = found.select_from(own.join(PAYLOAD, PAYLOAD.c.outbox_id == ENTRY.c.outbox_id))
        # A citizen's numbers and positions rise together: so the store may follow their own short list.
        found, order = found.where(PAYLOAD.c.subject == subject), PAYLOAD.c.n
    window = _window(query)
    place: ColumnElement[int] = INDEX.c.position
    if window and query.party is None and subject is None and await _few(session, window):
        # No index holds the sum: the store reads the window's rows by their time, not all from `after` on.
        place = order = INDEX.c.position + 0
    found = found.where(place > query.after, place < size, *window)
    if query.kind is not None:
        found = found.where(INDEX.c.kind == query.kind)
    if query.party is not None:
        found = found.where(INDEX.c.party == query.party)
    return (await session.execute(found.order_by(order).limit(min(query.limit, MAX_FOUND)))).all()


def _window(query: Query) -> list[ColumnElement[bool]]:
    since = [] if query.since is None else [INDEX.c.at >= query.since]
    return since if query.until is None else [*since, INDEX.c.at < query.until]


async def _few(session: AsyncSession, window: list[ColumnElement[bool]]) -> bool:
    some = select(INDEX.c.at).where(*window).limit(NARROW + 1).subquery()
    return int((await session.execute(select(func.count()).select_from(some))).scalar_one()) <= NARROW


async def _entries(session: AsyncSession, start: int) -> Sequence[Row[int, bytes]]:
    query = select(ENTRY.c.position, ENTRY.c.entry).where(ENTRY.c.position >= start)
    return (await session.execute(query.order_by(ENTRY.c.position).limit(BATCH))).all()


def _row(position: int, data: bytes) -> dict[str, object]:
    entry = decode(data)
    return {"position": position, "at": entry.at, "kind": entry.kind, "party": entry.party}
