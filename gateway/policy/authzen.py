"""AuthZEN 1.0 as data: one evaluation or several, read strictly; what answers them is somebody else's.

A denial is an answer (200, `decision: false`); only a request that cannot be read is an error (400).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from gateway.policy.errors import QuestionInvalid

MAX_EVALUATIONS = 64

Text = Annotated[str, Meta(min_length=1, max_length=256)]


class Entity(msgspec.Struct, frozen=True):
    """A subject or a resource."""

    type: Text
    id: Text
    properties: dict[str, Any] = {}


class Action(msgspec.Struct, frozen=True):
    """What is to be done."""

    name: Text
    properties: dict[str, Any] = {}


class Evaluation(msgspec.Struct, frozen=True):
    """May `subject` do `action` on `resource`?"""

    subject: Entity
    action: Action
    resource: Entity
    context: dict[str, Any] = {}


Semantic = Literal["execute_all", "deny_on_first_deny", "permit_on_first_permit"]


class _Options(msgspec.Struct, frozen=True):
    evaluations_semantic: Semantic = "execute_all"


class _Batch(msgspec.Struct, frozen=True):
    evaluations: Annotated[list[dict[str, Any]], Meta(max_length=MAX_EVALUATIONS)] = []
    options: _Options = _Options()


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer; `context` says why, in words and codes."""

    decision: bool
    context: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """As it is sent."""
        return {"decision": self.decision, **({"context": self.context} if self.context else {})}


Decide = Callable[[Evaluation], Awaitable[Verdict]]


def read(body: bytes) -> Evaluation:
    """One evaluation; raises QuestionInvalid."""
    try:
        return msgspec.json.decode(body, type=Evaluation)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise QuestionInvalid(str(error)) from error


async def evaluate_all(body: bytes, decide: Decide) -> dict[str, Any]:
    """Several evaluations, what they share written once above them; without any, the one above.

    Each is decided in order until the semantic asked for ends it. One that is not whole is a denial of its
    own with an error in its context. Raises QuestionInvalid when the whole cannot be read.
    """
    try:
        shared = msgspec.json.decode(body, type=dict[str, Any])
        batch = msgspec.convert(shared, _Batch)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise QuestionInvalid(str(error)) from error
    if not batch.evaluations:
        return (await decide(read(body))).document()
    above: dict[str, Any] = {
        name: shared[name] for name in ("subject", "action", "resource", "context") if name in shared
    }
    answers = []
    for one in batch.evaluations:
        verdict = await _one({**above, **one}, decide)
        answers.append(verdict.document())
        if ends(batch.options.evaluations_semantic, verdict.decision):
            break
    return {"evaluations": answers}


def ends(semantic: Semantic, decision: bool) -> bool:
    """Whether nothing after this decision is decided any more."""
    return (semantic == "deny_on_first_deny" and not decision) or (
        semantic == "permit_on_first_permit" and decision
    )


async def _one(whole: dict[str, Any], decide: Decide) -> Verdict:
    try:
        asked = msgspec.convert(whole, Evaluation)
    except msgspec.ValidationError as error:
        return Verdict(False, {"error": {"status": 400, "message": str(error)}})
    return await decide(asked)
