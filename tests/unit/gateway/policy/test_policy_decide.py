"""The one function doors call never raises and never lets an error through as a yes."""

from __future__ import annotations

import asyncio

import pytest

from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.engine import EngineHealth
from gateway.policy.errors import PolicyUnavailable, QuestionInvalid
from gateway.policy.question import Question
from tests.policy.table import question


class Failing:
    """An engine that only fails."""

    name = "failing/1"
    revision = "sha256:0"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def decide(self, question: Question) -> Decision:
        """Fail."""
        raise self.error

    async def health(self) -> EngineHealth:
        """Never ready."""
        return EngineHealth(False, self.name, self.revision, "failing")

    async def close(self) -> None:
        """Nothing to close."""


class Panic(BaseException):
    """What an interpreter written in another language may throw."""


@pytest.mark.parametrize(
    ("error", "code", "cause"),
    [
        (PolicyUnavailable("timeout"), "policy_unavailable", "timeout"),
        (QuestionInvalid("x"), "policy_question_invalid", "question"),
        (RuntimeError("x"), "policy_unavailable", "internal"),
        (MemoryError(), "policy_unavailable", "internal"),
        (Panic(), "policy_unavailable", "internal"),
    ],
)
async def test_any_failure_is_a_denial(error: BaseException, code: str, cause: str) -> None:
    """Whatever the engine raises, the decision denies, names the engine, and counts as infrastructure."""
    decision = await decide(Failing(error), question())
    assert (decision.allow, decision.available, decision.granted) == (False, False, ())
    assert [(r.code, r.params) for r in decision.codes] == [(code, {"cause": cause})]
    assert (decision.engine, decision.revision) == ("failing/1", "sha256:0")


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit()])
async def test_stopping_is_not_a_decision(error: BaseException) -> None:
    """A cancelled request or a stopping process is not turned into a decision."""
    with pytest.raises(type(error)) as caught:
        await decide(Failing(error), question())
    assert caught.value is error
