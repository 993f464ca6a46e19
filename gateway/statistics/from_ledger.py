"""The same facts from the ledger alone: its entries, and what they commit to as far as it can be opened.

What concerned a citizen whose key is gone is still counted by kind, party and time, for the entry says that;
whom and what it concerned nobody can tell any more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from consent.items import from_details
from consent.journal import payload_context
from consent.ledger.entry import Entry, decode
from consent.ledger_tables import ENTRY, PAYLOAD
from consent.moving import EVENTS
from consent.records import State
from consent.subjects import SubjectError, SubjectId, SubjectKey, SubjectKeys
from gateway.statistics.facts import Call, Facts, Moved, Sent

_MOVES = {event: move for move, event in EVENTS.items()}
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Said:
    """One entry and what it says; an empty body when that cannot be opened any more."""

    entry: Entry
    subject: str | None
    body: dict[str, Any]


async def facts(session: AsyncSession, keys: SubjectKeys, begin: int, end: int) -> Facts:
    """The facts of `begin` <= t < `end` (epoch seconds); moves from the first entry on."""
    moves: list[Moved] = []
    calls: list[Call] = []
    sent: list[Sent] = []
    async for said in opened(session, keys):
        kind, at = said.entry.kind, said.entry.at
        if kind in _MOVES and at < end and said.body:
            moves.append(_moved(said))
        elif kind == Event.PULL_HOLDER_DONE and said.body and begin <= said.body["began"] < end:
            calls.append(_call(said))
        elif kind == Event.BUNDLE_RELEASE_SEALED and begin <= at < end:
            sent.append(Sent(at, said.entry.party, said.subject))
    return Facts.of(moves, calls, sent)


async def opened(session: AsyncSession, keys: SubjectKeys) -> AsyncIterator[Said]:
    """Every entry in the order of the log, with what it says; an empty body when it cannot be opened."""
    known: dict[str, SubjectKey | None] = {}
    joined = ENTRY.outerjoin(PAYLOAD, PAYLOAD.c.outbox_id == ENTRY.c.outbox_id)
    columns = (ENTRY.c.position, ENTRY.c.entry, PAYLOAD.c.subject, PAYLOAD.c.n, PAYLOAD.c.body)
    query, after = select(*columns).select_from(joined).order_by(ENTRY.c.position).limit(_BATCH), -1
    while rows := (await session.execute(query.where(ENTRY.c.position > after))).all():
        for row in rows:
            body = await _body(session, keys, known, row)
            yield Said(decode(row.entry), row.subject, body)
        after = rows[-1].position


async def _body(
    session: AsyncSession, keys: SubjectKeys, known: dict[str, SubjectKey | None], row: Any
) -> dict[str, Any]:
    if row.body is None:
        return {}
    if row.subject is None:
        return dict(orjson.loads(row.body)["body"])
    if row.subject not in known:
        try:
            known[row.subject] = await keys.key(session, SubjectId(row.subject))
        except SubjectError:
            known[row.subject] = None
    key = known[row.subject]
    if key is None:
        return {}
    return dict(orjson.loads(key.unseal(row.body, payload_context(SubjectId(row.subject), row.n)))["body"])


def _moved(said: Said) -> Moved:
    details = said.body.get("authorization_details")
    terms = from_details(details) if details else None
    return Moved(
        at=said.entry.at,
        consent=said.body["consent"],
        version=said.body["version"],
        client=said.entry.party,
        move=_MOVES[Event(said.entry.kind)],
        state=State(said.body["state"]),
        subject=said.subject,
        holders=terms.holders if terms else (),
        end_at=terms.end_at if terms else 0,
    )


def _call(said: Said) -> Call:
    holder, _, dataset = said.body["item"].partition("/")
    return Call(said.body["began"], holder, dataset, said.body["kind"], said.body["code"], said.body["ms"])
