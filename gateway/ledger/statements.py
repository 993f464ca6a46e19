"""What the log says of itself, at once and for everybody: a shard opened, entries removed, a census taken."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Row, Select, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.canonical import canonical
from consent.events import Event
from consent.journal import Journal
from consent.ledger.tree import RightEdge, leaf_hash
from consent.ledger_tables import OUTBOX, PAYLOAD, STATEMENT
from gateway.ledger import repository

FILE = "statements"
TYPE = "mydata-ledger-statements"


async def state(
    session: AsyncSession, journal: Journal, kind: Event, body: Mapping[str, object], *, at: int, origin: str
) -> int:
    """Enter a statement as the very next entry, the first of the shard `origin` if that is new; its position.

    The caller MUST hold `repository.lock` in this transaction, and say here only what may be read by all.
    """
    said = await journal.append(session, kind, subject=None, party="gateway", payload=body, at=at)
    waiting = select(OUTBOX.c.id, OUTBOX.c.entry).where(OUTBOX.c.id == said.outbox_id)
    row = (await session.execute(waiting)).one()
    old = replace(await repository.head(session), origin=origin)
    edge = RightEdge.decode(old.size, old.edge)
    await repository.extend(session, old, edge, [row], edge.append(leaf_hash(row[1])))
    opening = select(PAYLOAD.c.salt, PAYLOAD.c.body).where(PAYLOAD.c.outbox_id == said.outbox_id)
    salt, payload = (await session.execute(opening)).one()
    values = {"position": old.size, "entry": row[1], "salt": salt, "body": payload}
    await session.execute(insert(STATEMENT).values(values))
    return old.size


async def bodies(session: AsyncSession, kind: Event, size: int) -> list[dict[str, object]]:
    """What the statements of one kind among the first `size` entries say, in order."""
    payloads = [json.loads(row.body) for row in await _rows(session, size)]
    return [payload["body"] for payload in payloads if payload["event"] == kind.value]


async def forget_older(session: AsyncSession, kind: Event) -> None:
    """Open no longer what statements of `kind` said before the last two: a newer one says it anew.

    Two, for the last may stand beyond the checkpoint that is shown.
    """
    query = select(STATEMENT.c.position, STATEMENT.c.body).order_by(STATEMENT.c.position)
    rows = (await session.execute(query)).all()
    made = [row.position for row in rows if json.loads(row.body)["event"] == kind.value]
    await session.execute(delete(STATEMENT).where(STATEMENT.c.position.in_(made[:-2])))


async def statements(session: AsyncSession, size: int) -> bytes | None:
    """The file that opens every statement among the first `size` entries; None when there is none."""
    made = [
        {
            "index": row.position,
            "entry": _text(row.entry),
            "payload": json.loads(row.body),
            "salt": _text(row.salt),
        }
        for row in await _rows(session, size)
    ]
    return canonical({"type": TYPE, "version": 1, "statements": made}) if made else None


async def _rows(session: AsyncSession, size: int) -> Sequence[Row[int, bytes, bytes, bytes]]:
    columns = (STATEMENT.c.position, STATEMENT.c.entry, STATEMENT.c.salt, STATEMENT.c.body)
    query: Select[int, bytes, bytes, bytes] = select(*columns).where(STATEMENT.c.position < size)
    return (await session.execute(query.order_by(STATEMENT.c.position))).all()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
