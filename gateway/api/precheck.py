"""`POST /precheck`: would a transfer be allowed, what would be cut, why, by which article. Nothing moves.

The same question through AuthZEN: subject = the client, action = `transfer` (property `purpose`), resource =
`personal_data` with the consent's id (property `items`: HOLDER/DATASET names). Whoever holds a token of a
grant asks about that grant and about no other. No decision is recorded and no use is counted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel

from gateway.api.schemas import ReasonedItem
from gateway.errors import Language, Problem
from gateway.policy.authzen import Decide, Evaluation, Verdict
from gateway.policy.decision import Decision, Notify
from gateway.policy.reasons import text

Names = tuple[str, ...] | None
Question = Callable[[Names, str | None], Awaitable[Decision]]
"""Decides on items of one grant (None: all) for a purpose, as of now, and keeps nothing."""


class Precheck(BaseModel):
    """What a transfer asked for now would come to."""

    allow: bool
    reasons: list[ReasonedItem]
    granted: list[dict[str, Any]]
    withheld: list[ReasonedItem]
    obligations: list[dict[str, Any]]
    revision: str
    engine: str


def add(
    routes: APIRouter,
    of: Callable[[Request], Awaitable[tuple[Question, Names, Language]]],
) -> None:
    """Add the door; `of` authenticates, reads the body and gives the question to ask."""

    @routes.post("/precheck", response_model=Precheck)
    async def precheck(request: Request) -> Precheck:
        """What a transfer would come to, without asking for it."""
        question, names, language = await of(request)
        return told(await question(names, None), language)


def told(decision: Decision, language: Language) -> Precheck:
    """A decision in words. Raises Problem `policy_unavailable` when no engine could decide."""
    if not decision.available:
        raise Problem("policy_unavailable", retry_after=5)
    return Precheck(
        allow=decision.allow,
        reasons=[
            ReasonedItem(item="", code=r.code, article=r.article or "", text=text(r.code, language, r.params))
            for r in decision.codes
        ],
        granted=[msgspec.to_builtins(grant) for grant in decision.granted],
        withheld=[
            ReasonedItem(
                item=w.item, code=w.code, article=w.article or "", text=text(w.code, language, w.params)
            )
            for w in decision.withheld
        ],
        obligations=[msgspec.to_builtins(obligation) for obligation in decision.obligations],
        revision=decision.revision,
        engine=decision.engine,
    )


def authzen(client_id: str, consent_id: str, question: Question, language: Language) -> Decide:
    """Answers AuthZEN evaluations of one authenticated client about its own grant; all else is a denial."""

    async def decide(asked: Evaluation) -> Verdict:
        mine = (asked.subject.type, asked.subject.id) == ("client", client_id)
        if not mine or (asked.resource.type, asked.resource.id) != ("personal_data", consent_id):
            return Verdict(False, {"reason": "not the caller's own grant"})
        if asked.action.name != "transfer":
            return Verdict(False, {"reason": "no such action", "code": "operation_unknown"})
        names, purpose = asked.resource.properties.get("items"), asked.action.properties.get("purpose")
        if not _are_names(names) or not isinstance(purpose, str | None):
            return Verdict(False, {"error": {"status": 400, "message": "items or purpose"}})
        try:
            answer = told(await question(tuple(names) if names else None, purpose), language)
        except Problem as problem:
            if problem.status >= 500:
                raise
            return Verdict(False, {"code": problem.code, "reason": problem.title(language)})
        return Verdict(answer.allow, _context(answer))

    return decide


def _are_names(names: object) -> bool:
    return names is None or (isinstance(names, list) and all(isinstance(name, str) for name in names))


def _context(answer: Precheck) -> dict[str, Any]:
    whole = answer.model_dump(exclude={"allow", "obligations"})
    return {**whole, "obligations": [_obligation(n, o) for n, o in enumerate(answer.obligations)]}


def _obligation(number: int, one: dict[str, Any]) -> dict[str, Any]:
    """As the draft AuthZEN obligations profile has it: `notification`, or `custom` with what to do."""
    kind = "notification" if one["type"] == Notify.__struct_config__.tag else "custom"
    action = {"action": one["type"]} if kind == "custom" else {}
    rest = {name: value for name, value in one.items() if name != "type"}
    return {"id": f"o{number}", "type": kind, "properties": {**action, **rest}}
