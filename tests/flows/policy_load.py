"""Companies that ask without a pause what a transfer would come to, while the policy's engine misbehaves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby

from tests.world import Given, World

ASKERS = 6


@dataclass(frozen=True)
class Answer:
    """What an asker was answered: of an allow the revision, and the days it lets data be kept."""

    asker: int
    status: int
    revision: str = ""
    days: int = 0


@dataclass
class Load:
    """Every answer, in the order they came."""

    answers: list[Answer] = field(default_factory=list)
    askers: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def counts(self) -> Counter[int]:
        """How often each status came."""
        return Counter(one.status for one in self.answers)

    @property
    def policies(self) -> set[tuple[str, int]]:
        """Every pair of a revision and days that was ever answered together."""
        return {(one.revision, one.days) for one in self.answers if one.status == 200}

    def of(self, asker: int) -> list[str]:
        """The revisions an asker was answered on, each once for each time it became another."""
        revisions = (one.revision for one in self.answers if one.asker == asker and one.revision)
        return [revision for revision, _ in groupby(revisions)]

    async def comes(self, status: int, times: int = ASKERS, seconds: float = 30) -> None:
        """Wait until `status` was answered `times` more than now."""
        wanted = self.counts[status] + times
        await self.until(lambda: self.counts[status] >= wanted, seconds)

    async def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        """Wait until it is so; fails at once with an asker that failed."""
        now = asyncio.get_running_loop().time
        end = now() + seconds
        while not condition():
            for asker in self.askers:
                if asker.done():
                    await asker
            assert now() < end, f"it did not come in time: {self.counts}"
            await asyncio.sleep(0.01)

    async def ask_on(self, world: World, given: Given, asker: int) -> None:
        """Ask without a pause."""
        while True:
            answered = await given.company.call("POST", f"{world.origin}/precheck", json={})
            said = answered.json()
            if answered.status_code == 200:
                assert said["allow"] is True, said
                (until,) = (one["until"] for one in said["obligations"] if "until" in one)
                days = round((until - world.clock.seconds) / 86400)
                self.answers.append(Answer(asker, 200, said["revision"], days))
            else:
                assert (answered.status_code, said["code"]) == (503, "policy_unavailable"), said
                assert int(answered.headers["retry-after"]) > 0
                assert not {"granted", "obligations"} & said.keys()
                self.answers.append(Answer(asker, 503))
                await asyncio.sleep(0.05)


@asynccontextmanager
async def load(world: World, given: Given) -> AsyncIterator[Load]:
    """Ask with `ASKERS` askers at once until the block ends; each answer is an allow, or a plain 503."""
    told = Load()
    told.askers = [asyncio.create_task(told.ask_on(world, given, n)) for n in range(ASKERS)]
    try:
        await told.comes(200)
        yield told
    finally:
        for asker in told.askers:
            asker.cancel()
        await asyncio.gather(*told.askers, return_exceptions=True)
