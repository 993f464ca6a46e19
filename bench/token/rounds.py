"""Rounds: every candidate answers the same signed requests, in turn, and then refuses them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from bench.token.candidate import Candidate
from bench.token.load import Answered, send
from bench.token.works import Work

REPLAYED = 16
"""How many of the last requests are sent again after each round (a 1,000-entry memory still has them)."""


class BenchFailed(Exception):
    """A candidate did not do what is measured: another answer than 200, or a replay accepted."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One round of one candidate, per request: microseconds of CPU, and answers a second."""

    server_us: float
    database_us: float
    per_second: float

    @property
    def cpu_us(self) -> float:
        """Everything that was spent."""
        return self.server_us + self.database_us


async def round_of(candidate: Candidate, work: Work) -> Measure:
    """Send the requests of this round, then the last ones again. Raises BenchFailed."""
    messages = await work.messages(candidate)
    count = len(messages)
    candidate.pin()
    before = candidate.spent()
    answered = await send(candidate.port, messages)
    await candidate.calm()
    after = candidate.spent()
    judge(candidate, answered, await send(candidate.port, messages[-REPLAYED:]), count, work.holds)
    server, stored = (1e-3 * (late - early) / count for early, late in zip(before, after, strict=True))
    return Measure(server, stored, count / answered.seconds)


async def alternating(
    candidates: Sequence[Candidate], work: Work, rounds: int, requests: int, warm: int
) -> dict[str, list[Measure]]:
    """Warm everybody up, then `rounds` times everybody in turn, the order shifted by one each time."""
    if warm:
        for candidate in candidates:
            await asyncio.to_thread(work.fresh, warm)
            await round_of(candidate, work)
    found: dict[str, list[Measure]] = {candidate.name: [] for candidate in candidates}
    for number in range(rounds):
        await asyncio.to_thread(work.fresh, requests)
        for candidate in (*candidates[number % len(candidates) :], *candidates[: number % len(candidates)]):
            found[candidate.name].append(await round_of(candidate, work))
    return found


def judge(
    candidate: Candidate,
    answered: Answered,
    again: Answered,
    count: int,
    holds: Callable[[Mapping[str, Any]], bool],
) -> None:
    """Raises BenchFailed unless all `count` were answered as asked for and all sent `again` was refused."""
    if answered.statuses != {200: count}:
        bodies = {status: body[:300].decode() for status, body in answered.bodies.items() if status != 200}
        raise BenchFailed(f"{candidate.name}: {dict(answered.statuses)} {bodies}")
    body = orjson.loads(answered.bodies[200])
    if not holds(body):
        raise BenchFailed(f"{candidate.name}: another answer than was asked for: {sorted(body)}")
    if any(not 400 <= status < 500 for status in again.statuses):
        raise BenchFailed(f"{candidate.name}: accepted a replay: {dict(again.statuses)}")
