"""What a period's figures are made of, from the records, and from the ledger alone.

The ledger tells refused transfers one by one up to ten a minute and client; the others stand in the summary
of their hour, so they are counted with that hour. It says nothing of flows nobody answered.
"""

from __future__ import annotations

from collections import Counter

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from consent.ledger_tables import ENTRY, INDEX, PAYLOAD
from consent.subjects import SubjectKeys
from consent.tables import table_of
from gateway.policy.tables import PolicyDecisionRow
from gateway.statistics import from_ledger, from_records
from gateway.support.figures import Decided, Period

REFUSED = "transfer_refused"
_DECISION = table_of(PolicyDecisionRow)
_ANSWERS = {Event.POLICY_DECISION_MADE: True, Event.TRANSFER_REQUEST_REFUSED: False}
_TURNED_AWAY = (Event.OAUTH_AUTHORIZATION_REFUSED, Event.TOKEN_ACCESS_REFUSED, Event.OAUTH_REFUSALS_COUNTED)


async def of_records(session: AsyncSession, begin: int, end: int) -> Period:
    """The period `begin` <= t < `end` (epoch seconds) from the records."""
    facts = await from_records.facts(session, begin, end)
    query = select(_DECISION.c.at, _DECISION.c.client_id, _DECISION.c.allow)
    rows = await session.execute(query.where(_DECISION.c.at >= begin, _DECISION.c.at < end))
    return Period.of(facts, [Decided(row.at, row.client_id, bool(row.allow)) for row in rows])


async def of_ledger(session: AsyncSession, keys: SubjectKeys, begin: int, end: int) -> Period:
    """The same from the ledger alone; it reads the whole log."""
    decided: list[Decided] = []
    uncounted: list[tuple[int, int]] = []
    async for said in from_ledger.opened(session, keys):
        entry = said.entry
        if begin <= entry.at < end and entry.kind in _ANSWERS:
            decided.append(Decided(entry.at, entry.party, _ANSWERS[Event(entry.kind)]))
        elif entry.kind == Event.OAUTH_REFUSALS_COUNTED and begin <= said.body.get("hour", -1) < end:
            uncounted.append((said.body["hour"], said.body["refused"].get(REFUSED, 0)))
    return Period.of(await from_ledger.facts(session, keys, begin, end), decided, uncounted)


async def turned_away(session: AsyncSession, begin: int, end: int) -> Counter[str]:
    """By code: requests of the OAuth doors that were refused, from the ledger, which alone keeps them.

    Those told in a summary count with its hour, even where the summary was entered after `end`.
    """
    joined = INDEX.join(ENTRY, ENTRY.c.position == INDEX.c.position)
    joined = joined.outerjoin(PAYLOAD, PAYLOAD.c.outbox_id == ENTRY.c.outbox_id)
    kinds = INDEX.c.kind.in_([event.value for event in _TURNED_AWAY])
    query = select(INDEX.c.at, INDEX.c.kind, PAYLOAD.c.body).select_from(joined)
    query = query.where(INDEX.c.at >= begin, INDEX.c.at < end + _LATE_SECONDS, kinds)
    found = Counter[str]()
    for row in await session.execute(query):
        said = orjson.loads(row.body)["body"] if row.body else {}
        if row.kind != Event.OAUTH_REFUSALS_COUNTED:
            found[said.get("code", "unknown")] += begin <= row.at < end
        elif begin <= said.get("hour", -1) < end:
            found.update({code: number for code, number in said["refused"].items() if code != REFUSED})
    return +found


_LATE_SECONDS = 86_400
"""How long after its hour a summary may be entered and is still found: the gateway may have been off."""
