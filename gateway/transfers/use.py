"""How often each item of a consent was used already: sent before, or granted to a transfer under way.

What is under way counts, or a recipient could ask for the same thing many times before the first arrives.
A transfer that failed, or was called off, counts no more.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository_use
from gateway.policy.decision import Grant
from gateway.policy.tables import PolicyDecisionRow
from gateway.transfers.states import State
from gateway.transfers.tables import TransferRow

SENT = frozenset({"complete", "partial", "empty"})
"""Outcomes after which an item counts as transferred."""

Use = Mapping[str, tuple[int, ...]]
"""By `HOLDER/DATASET`: the moments (epoch seconds) of its uses."""

_TRANSFER: Table = TransferRow.__table__  # type: ignore[attr-defined]
_DECISION: Table = PolicyDecisionRow.__table__  # type: ignore[attr-defined]
_UNTOLD = (State.ACCEPTED, State.PULLING)
"""States before the outcomes are recorded; they are, with the move to sealed."""


async def use_of(session: AsyncSession, consent_id: str) -> Use:
    """The use of every item under one consent, as it stands in this session."""
    used = {item: list(at) for item, at in (await repository_use.moments(session, consent_id, SENT)).items()}
    joined = _TRANSFER.join(_DECISION, _DECISION.c.id == _TRANSFER.c.decision_id)
    query = select(_TRANSFER.c.created_at, _DECISION.c.granted).select_from(joined)
    under_way = (_TRANSFER.c.consent_id == consent_id) & _TRANSFER.c.state.in_(_UNTOLD)
    for row in await session.execute(query.where(under_way)):
        for grant in msgspec.json.decode(row.granted, type=tuple[Grant, ...]):
            used.setdefault(grant.item, []).append(row.created_at)
    return {item: tuple(sorted(moments)) for item, moments in used.items()}
