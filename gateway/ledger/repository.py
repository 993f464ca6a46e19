"""Every statement the log's machinery needs. Callers hold the session; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, Select, delete, func, insert, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.ledger.tiles import Tile, exists
from consent.ledger.tree import EMPTY_ROOT, HASH_BYTES, TILE_WIDTH, FullTile, RightEdge
from consent.ledger_tables import CHECKPOINT, ENTRY, HEAD, OUTBOX, PAYLOAD, TILE

_ONLY = 1
_LOCK = 0x6D79646174616C67  # "mydatalg": the sequencer's advisory lock on PostgreSQL


@dataclass(frozen=True, slots=True)
class Head:
    """The tree as the sequencer left it."""

    size: int
    root: bytes
    edge: bytes
    origin: str = ""


async def lock(session: AsyncSession) -> bool:
    """Become the only sequencer until this transaction ends; False if another one is at work.

    SQLite needs no lock of its own: it has one writer.
    """
    if session.get_bind().dialect.name != "postgresql":
        return True
    taken = await session.execute(text("SELECT pg_try_advisory_xact_lock(:id)"), {"id": _LOCK})
    return bool(taken.scalar_one())


async def waiting(session: AsyncSession, limit: int) -> Sequence[Row[int, bytes]]:
    """The oldest committed outbox rows (id, entry), in order."""
    query: Select[int, bytes] = select(OUTBOX.c.id, OUTBOX.c.entry).order_by(OUTBOX.c.id).limit(limit)
    return (await session.execute(query)).all()


async def backlog(session: AsyncSession) -> tuple[int, int | None]:
    """How many entries wait, and the epoch seconds of the oldest."""
    row = (await session.execute(select(func.count(), func.min(OUTBOX.c.at)).select_from(OUTBOX))).one()
    return int(row[0]), row[1]


async def head(session: AsyncSession) -> Head:
    """The tree head; that of the empty tree before the first entry."""
    columns = (HEAD.c.size, HEAD.c.root, HEAD.c.edge, HEAD.c.origin)
    row = (await session.execute(select(*columns))).one_or_none()
    return Head(row.size, row.root, row.edge, row.origin) if row else Head(0, EMPTY_ROOT, b"")


async def extend(
    session: AsyncSession,
    old: Head,
    edge: RightEdge,
    rows: Sequence[Row[int, bytes]],
    full: list[FullTile],
) -> None:
    """Append `rows` behind `old` in the shard `old.origin`: entries, tiles, head; empty their outbox rows."""
    taken = OUTBOX.c.id.in_([row[0] for row in rows])
    behind = literal(old.size - 1) + func.row_number().over(order_by=OUTBOX.c.id)
    # The store moves them itself: their bytes have been read to be hashed and need not come back.
    moved_on = select(behind, OUTBOX.c.id, OUTBOX.c.entry).where(taken)
    await session.execute(insert(ENTRY).from_select(["position", "outbox_id", "entry"], moved_on))
    if full:
        tiles = [{"level": tile.level, "number": tile.index, "data": tile.data} for tile in full]
        await session.execute(insert(TILE), tiles)
    values = {"size": edge.size, "root": edge.root(), "edge": edge.encode(), "origin": old.origin}
    moved = await session.execute(
        update(HEAD).where(HEAD.c.id == _ONLY, HEAD.c.size == old.size).values(values).returning(HEAD.c.id)
    )
    if moved.one_or_none() is None:
        await session.execute(insert(HEAD).values(id=_ONLY, **values))
    await session.execute(delete(OUTBOX).where(taken))


async def tiles(session: AsyncSession, wanted: Sequence[Tile]) -> dict[Tile, bytes]:
    """The bytes of `wanted`; what the log does not have (yet) is left out."""
    now = await head(session)
    edge = RightEdge.decode(now.size, now.edge)
    found: dict[Tile, bytes] = {}
    for tile in wanted:
        if not exists(tile, now.size):
            continue
        if exists(Tile(tile.level, tile.index), now.size):
            query = select(TILE.c.data).where(TILE.c.level == tile.level, TILE.c.number == tile.index)
            data = (await session.execute(query)).scalar_one()
        else:
            data = edge.partial(tile.level)
        found[tile] = data[: tile.width * HASH_BYTES]
    return found


async def bundle(session: AsyncSession, tile: Tile) -> list[bytes]:
    """The entries of a bundle (a level 0 tile), in order."""
    first = tile.index * TILE_WIDTH
    query = select(ENTRY.c.entry).where(ENTRY.c.position >= first, ENTRY.c.position < first + tile.width)
    return list((await session.execute(query.order_by(ENTRY.c.position))).scalars())


async def position(session: AsyncSession, what: int | str) -> int | None:
    """Where the entry of an outbox id or idempotency key stands in the log; None while it waits."""
    if isinstance(what, int):
        query = select(ENTRY.c.position).where(ENTRY.c.outbox_id == what)
    else:
        joined = ENTRY.join(PAYLOAD, PAYLOAD.c.outbox_id == ENTRY.c.outbox_id)
        query = select(ENTRY.c.position).select_from(joined).where(PAYLOAD.c.idem == what)
    found: int | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def openings(session: AsyncSession, subject: str, size: int) -> Sequence[Row[int, bytes, bytes, int]]:
    """A citizen's payloads (n, body, entry, position) within the first `size` entries, in order."""
    joined = PAYLOAD.join(ENTRY, PAYLOAD.c.outbox_id == ENTRY.c.outbox_id)
    query: Select[int, bytes, bytes, int] = (
        select(PAYLOAD.c.n, PAYLOAD.c.body, ENTRY.c.entry, ENTRY.c.position)
        .select_from(joined)
        .where(PAYLOAD.c.subject == subject, ENTRY.c.position < size)
        .order_by(PAYLOAD.c.n)
    )
    return (await session.execute(query)).all()


async def checkpoint(session: AsyncSession) -> tuple[int, str] | None:
    """The size and the note of the last signed checkpoint."""
    row = (await session.execute(select(CHECKPOINT.c.size, CHECKPOINT.c.note))).one_or_none()
    return (row.size, row.note) if row else None


async def second_line(session: AsyncSession) -> str:
    """The log's second signature line over the last signed checkpoint; empty where there is no second key."""
    found: str | None = (await session.execute(select(CHECKPOINT.c.second))).scalar_one_or_none()
    return found or ""


async def advance_checkpoint(session: AsyncSession, size: int, note: str, second: str = "") -> bool:
    """Make `note` the last signed checkpoint if it is larger than the stored one (compare-and-set)."""
    grown = update(CHECKPOINT).where(CHECKPOINT.c.id == _ONLY, CHECKPOINT.c.size < size)
    done = await session.execute(grown.values(size=size, note=note, second=second).returning(CHECKPOINT.c.id))
    if done.one_or_none() is not None:
        return True
    if await checkpoint(session) is not None:
        return False
    await session.execute(insert(CHECKPOINT).values(id=_ONLY, size=size, note=note, second=second))
    return True
