"""What the citizen sees of a request of which nothing was sent: each item, and why."""

from __future__ import annotations

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from consent.usage import ItemOutcome
from gateway.policy import record
from gateway.policy.decision import Decision, Grant
from gateway.policy.question import Question
from gateway.transfers.tables import TransferRow

GAVE_UP = "gave_up"
"""Why an item was not sent although its holder was asked as often as there were attempts."""


def as_outcomes(question: Question, decision: Decision, now: int) -> list[ItemOutcome]:
    """Every item asked, with its own reason or the first one given for all."""
    outcomes = []
    for item in question.request.items:
        name = f"{item.holder}/{item.dataset}"
        why = next(iter(decision.withheld_of(name)), None) or decision.codes[0]
        outcomes.append(
            ItemOutcome(
                consent_id=question.consent.id,
                transfer_id=question.request.id,
                item=name,
                asked=item.fields,
                sent=(),
                withheld=dict.fromkeys(item.fields, why.code),
                outcome="refused",
                reason=why.code,
                article=why.article,
                at=now,
            )
        )
    return outcomes


async def given_up(session: AsyncSession, transfer: TransferRow, now: int) -> list[ItemOutcome]:
    """Every item policy had granted to a transfer that failed: none of it was sent."""
    decision = await record.find(session, transfer.decision_id)
    granted = () if decision is None else msgspec.json.decode(decision.granted, type=tuple[Grant, ...])
    return [
        ItemOutcome(
            consent_id=transfer.consent_id,
            transfer_id=transfer.id,
            item=grant.item,
            asked=grant.fields,
            sent=(),
            withheld=dict.fromkeys(grant.fields, GAVE_UP),
            outcome="failed",
            reason=GAVE_UP,
            at=now,
        )
        for grant in granted
    ]
