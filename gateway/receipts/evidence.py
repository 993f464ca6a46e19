"""What the ledger holds of one event, ready for a receipt: entry, place, proof, and the opening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select

from consent.journal import Journal, payload_context
from consent.ledger_tables import ENTRY, PAYLOAD
from consent.receipts import Evidence
from consent.subjects import SubjectError, SubjectId
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger.log import Log

WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Proven:
    """The evidence of one event and what the event said (its body)."""

    evidence: Evidence
    said: dict[str, Any]


async def evidence_of(
    database: Database, journal: Journal, log: Log, subject: SubjectId, idem: str, *, opened: bool
) -> Proven:
    """The evidence of the citizen's event `idem`; with `opened` its opening too.

    Raises Problem `ledger_timeout` while the log lags behind it, `not_found` when the ledger keeps no opening
    (the record was erased). MUST NOT be called inside a transaction.
    """
    joined = PAYLOAD.join(ENTRY, ENTRY.c.outbox_id == PAYLOAD.c.outbox_id)
    query = select(PAYLOAD.c.n, PAYLOAD.c.body, ENTRY.c.entry).select_from(joined)
    async with database.reading() as session:
        kept = select(PAYLOAD.c.n).where(PAYLOAD.c.idem == idem, PAYLOAD.c.subject == subject)
        if (await session.execute(kept)).one_or_none() is None:
            raise Problem("not_found")
    proof = await log.inclusion(await log.wait_integrated(idem, WAIT_SECONDS))
    async with database.reading() as session:
        row = (await session.execute(query.where(PAYLOAD.c.idem == idem))).one_or_none()
        try:
            key = await journal.keys.key(session, subject)
        except SubjectError as error:
            raise Problem("not_found") from error
    if row is None:
        raise Problem("not_found")
    body = key.unseal(row.body, payload_context(subject, row.n))
    evidence = Evidence(
        entry=row.entry,
        index=proof.index,
        path=tuple(proof.path),
        checkpoint=proof.checkpoint,
        payload=body if opened else None,
        salt=key.salt(row.n) if opened else b"",
    )
    return Proven(evidence, orjson.loads(body)["body"])
