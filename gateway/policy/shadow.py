"""A second engine on a share of live decisions, beside the one that decides: differences are counted.

The first engine's answer is given at once and never changed by what the second says. The count of differences
MUST stay zero; each is logged with the request's id and codes, never with the question.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry, Counter

from gateway.policy.decision import Decision
from gateway.policy.engine import EngineHealth, PolicyEngine
from gateway.policy.errors import PolicyError
from gateway.policy.question import Question

MOST_AT_ONCE = 16

_log = structlog.get_logger(__name__)


def counter(registry: CollectorRegistry) -> Counter:
    """The count of shadowed decisions by what came of them: same, different, unavailable, skipped."""
    return Counter(
        "mydata_policy_shadow_total", "Decisions made again by the second engine", ["came"], registry=registry
    )


class ShadowEngine:
    """A `PolicyEngine` that answers as its first engine does."""

    def __init__(
        self,
        first: PolicyEngine,
        second: PolicyEngine,
        percent: int,
        count: Counter,
        dice: Callable[[], float] = random.random,
    ) -> None:
        """Ask `second` too on `percent` of 100 decisions; `dice` gives numbers from 0 until 1."""
        self.first = first
        self.second = second
        self._share = percent / 100
        self._count = count
        self._dice = dice
        self._running: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """The deciding engine's."""
        return self.first.name

    @property
    def revision(self) -> str:
        """The deciding engine's."""
        return self.first.revision

    async def decide(self, question: Question) -> Decision:
        """The first engine's decision; the second one's is compared later."""
        decision = await self.first.decide(question)
        if self._dice() < self._share:
            if len(self._running) >= MOST_AT_ONCE:
                self._count.labels("skipped").inc()
            else:
                task = asyncio.create_task(self._compare(question, decision))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
        return decision

    async def health(self) -> EngineHealth:
        """The deciding engine's."""
        return await self.first.health()

    async def settled(self) -> None:
        """Wait until every comparison under way is done."""
        await asyncio.gather(*self._running)

    async def close(self) -> None:
        """Close both, after the comparisons under way."""
        await self.settled()
        await self.first.close()
        await self.second.close()

    async def _compare(self, question: Question, decision: Decision) -> None:
        try:
            other = await self.second.decide(question)
        except PolicyError as error:
            self._count.labels("unavailable").inc()
            _log.warning("policy.shadow_unavailable", engine=self.second.name, error=str(error))
            return
        if other.canonical() == decision.canonical():
            self._count.labels("same").inc()
            return
        self._count.labels("different").inc()
        _log.error(
            "policy.shadow_differs",
            request=question.request.id,
            first=[reason.code for reason in decision.codes],
            second=[reason.code for reason in other.codes],
            engines=f"{decision.engine} {other.engine}",
        )
