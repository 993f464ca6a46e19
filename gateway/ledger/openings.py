"""An opening: chosen events with what they commit to, each with its own salt and proof, never a key.

It verifies offline like a trail: `mydata ledger verify --trail FILE`. Whoever holds it can read just these.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.canonical import canonical
from consent.journal import payload_context
from consent.ledger import proof
from consent.ledger_tables import ENTRY, PAYLOAD
from consent.subjects import SubjectId, SubjectKeys
from gateway.errors import Problem
from gateway.ledger import repository
from gateway.ledger.nodes import prove

TYPE = "mydata-ledger-opening"
MAX_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Opened:
    """An opening as a file, and whom each of its events concerns."""

    data: bytes
    subjects: dict[int, SubjectId]


async def opening(session: AsyncSession, keys: SubjectKeys, indexes: Sequence[int]) -> Opened:
    """Open the entries at `indexes` of the published log.

    Raises Problem `not_found` when one is beyond it or its opening was destroyed (an erased citizen).
    """
    published = await repository.checkpoint(session)
    size, note = published or (0, "")
    events: list[dict[str, Any]] = []
    subjects: dict[int, SubjectId] = {}
    for index in sorted(set(indexes)):
        row = await _row(session, index) if 0 <= index < size else None
        if row is None:
            raise Problem("not_found", detail=f"entry {index} is not published or cannot be opened")
        body, salt = await _opened(session, keys, row)
        path = await prove(session, size, partial(proof.inclusion, index, size))
        if row.subject is not None:
            subjects[index] = SubjectId(row.subject)
        events.append(
            {
                "index": index,
                "entry": _text(row.entry),
                "payload": json.loads(body),
                "salt": _text(salt),
                "proof": [_text(sibling) for sibling in path],
            }
        )
    data = canonical({"type": TYPE, "version": 1, "checkpoint": note, "events": events})
    return Opened(data, subjects)


async def _opened(session: AsyncSession, keys: SubjectKeys, row: Any) -> tuple[bytes, bytes]:
    if row.subject is None:
        return row.body, row.salt
    key = await keys.key(session, SubjectId(row.subject))
    return key.unseal(row.body, payload_context(SubjectId(row.subject), row.n)), key.salt(row.n)


async def _row(session: AsyncSession, index: int) -> Any:
    joined = ENTRY.join(PAYLOAD, PAYLOAD.c.outbox_id == ENTRY.c.outbox_id)
    columns = (ENTRY.c.entry, PAYLOAD.c.subject, PAYLOAD.c.n, PAYLOAD.c.salt, PAYLOAD.c.body)
    query = select(*columns).select_from(joined).where(ENTRY.c.position == index)
    return (await session.execute(query)).one_or_none()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
