"""A citizen's own trail: every event the log holds about them, opened, with its proof, in one file.

The file verifies offline with `consent.ledger.verify` and the log's key. It opens each event by its own
salt and never holds the citizen's key, so it can be handed on for exactly these events.
"""

from __future__ import annotations

import base64
import json

from sqlalchemy.ext.asyncio import AsyncSession

from consent.canonical import canonical
from consent.journal import payload_context
from consent.ledger import proof
from consent.subjects import SubjectId, SubjectKey, SubjectKeys
from gateway.errors import Problem
from gateway.ledger import census, repository
from gateway.ledger.nodes import prove
from gateway.ledger.openings import opening

TYPE = "mydata-ledger-trail"


async def trail(session: AsyncSession, keys: SubjectKeys, subject: SubjectId) -> bytes:
    """The trail of `subject` in the published log, as canonical JSON (RFC 8785).

    Raises SubjectError for an unknown or erased citizen, Problem `not_found` before the first checkpoint.
    """
    key = await keys.key(session, subject)
    published = await repository.checkpoint(session)
    if published is None:
        raise Problem("not_found", detail="no checkpoint was signed yet")
    size, note = published
    events = []
    for n, sealed, entry, position in await repository.openings(session, subject, size):
        path = await _inclusion(session, position, size)
        events.append(
            {
                "index": position,
                "entry": _text(entry),
                "payload": json.loads(key.unseal(sealed, payload_context(subject, n))),
                "salt": _text(key.salt(n)),
                "proof": [_text(sibling) for sibling in path],
            }
        )
    whole: dict[str, object] = {"type": TYPE, "version": 1, "checkpoint": note, "events": events}
    if counted := await _counted(session, keys, key, size):
        whole["census"] = counted
    return canonical(whole)


async def _counted(
    session: AsyncSession, keys: SubjectKeys, key: SubjectKey, size: int
) -> dict[str, object] | None:
    """The last census in the published log, and what it says of this citizen."""
    taken = await census.last(session)
    said = census.counted(taken, key) if taken and taken.position < size else None
    if taken is None or said is None:
        return None
    try:
        event = json.loads((await opening(session, keys, [taken.position])).data)["events"][0]
    except Problem:  # the opening of that census is kept no longer: the trail is whole without
        return None
    return {"event": event, **said}


async def _inclusion(session: AsyncSession, position: int, size: int) -> list[bytes]:
    return await prove(session, size, lambda read: proof.inclusion(position, size, read))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
