"""The one interface of every policy engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.policy.decision import Decision
from gateway.policy.question import Question

PACKAGE = "mydata.transfer"
RULE = "decision"


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """Whether an engine can decide now; `cause` is a stable word when it cannot."""

    ready: bool
    engine: str
    revision: str
    cause: str = ""

    @property
    def state(self) -> bool | str:
        """For readiness: whether it can decide, or in words that it can but something is wrong."""
        return f"ready, but {self.cause}" if self.ready and self.cause else self.ready


class PolicyEngine(Protocol):
    """Evaluates `data.mydata.transfer.decision` on one revision of the policy.

    An engine MUST evaluate builtin errors strictly, MUST answer only on the revision it names, MUST check the
    question against its schema before and the answer with `decision.parse` after, and MUST bound its time.
    It MUST NOT cache decisions, MUST NOT fall back to another revision and MUST NOT raise anything but
    PolicyError. It is safe for any number of tasks of one event loop.
    """

    @property
    def name(self) -> str:
        """Which engine and version: `regorus/0.13.0`, `opa/1.20.2`."""
        ...

    @property
    def revision(self) -> str:
        """The sha256 of the policy it answers on (`bundle.PolicyBundle.revision`)."""
        ...

    async def decide(self, question: Question) -> Decision:
        """The decision; raises PolicyUnavailable or QuestionInvalid, never a policy reason."""
        ...

    async def health(self) -> EngineHealth:
        """Whether it can decide now. Never raises."""
        ...

    async def close(self) -> None:
        """Release what it holds. May be called twice."""
        ...
