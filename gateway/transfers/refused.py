"""What the citizen sees of a request that policy refused as a whole: each item, and why it was not sent."""

from __future__ import annotations

from consent.usage import ItemOutcome
from gateway.policy.decision import Decision
from gateway.policy.question import Question


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
