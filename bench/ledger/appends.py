"""Appending, side by side: each candidate in turn, 256 writers, durable before each answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Protocol

from bench.ledger.measure import WRITERS, BenchFailed, Took, fsyncs, spread, timed
from bench.ledger.naive import Naive
from bench.ledger.stage import Stage

WAYS = {
    "ledger only": Stage.line,
    "token event": Stage.event,
    "without ledger": Stage.unwritten,
    "consent given": Stage.given,
}
"""What one writer does once."""
SLOW = "consent given"
"""A transaction of its own each: done by 16 writers, and less often, so that nobody waits in vain."""


class Candidate(Protocol):
    """Something that appends: `run` until all is durable, `settle` until nothing is left to do."""

    name: str
    share: int
    """One event for so many of the others': for what is much slower."""

    async def run(self, count: int) -> None:
        """Append `count` events; return when each was answered."""

    async def settle(self, count: int) -> None:
        """Do what the answers did not wait for. Raises BenchFailed if an event is not there, or twice."""


class Ours:
    """One way of ours, over a stage it may share with others."""

    def __init__(self, name: str, stage: Stage) -> None:
        """Take the way called `name`."""
        self.name = name
        self.share, self._writers = (10, 16) if name == SLOW else (1, WRITERS)
        self._stage = stage

    async def run(self, count: int) -> None:
        """Append; afterwards so many more entries are promised."""
        before = await self._stage.entered()
        way = WAYS[self.name]
        await spread(count, lambda number: way(self._stage, number), self._writers)
        more = await self._stage.entered() - before
        if more != (0 if self.name == "without ledger" else count):
            raise BenchFailed(f"{self.name}: {more} entries for {count} events")

    async def settle(self, count: int) -> None:
        """Put them into the tree and sign it."""
        added = await self._stage.log.integrate_now()
        if added != (0 if self.name == "without ledger" else count):
            raise BenchFailed(f"{self.name}: {added} of {count} entries came into the tree")


Found = Mapping[str, Sequence[tuple[Took, Took]]]
"""By candidate and round: until all was answered, and until all was in the signed tree."""


async def alternating(
    candidates: Sequence[Candidate], rounds: int, count: int, server: int | None
) -> dict[str, list[tuple[Took, Took]]]:
    """Warm up, then every candidate in turn, the order shifted by one each round."""
    found: dict[str, list[tuple[Took, Took]]] = {one.name: [] for one in candidates}
    for number in range(-1, rounds):
        turn = number % len(candidates)
        for one in (*candidates[turn:], *candidates[:turn]):
            size = max(1, count // one.share // (10 if number < 0 else 1))
            answered = await timed(size, one.run(size), server)
            rest = await timed(size, one.settle(size), server)
            if number >= 0:
                found[one.name].append((answered, answered.then(rest)))
    return found


async def on_sqlite(folder: Path, rounds: int, count: int) -> tuple[Found, float]:
    """Everything on SQLite, with the naive chain; and how often a second the disk syncs."""
    stage = await Stage.open(f"sqlite+aiosqlite:///{folder / 'ours.db'}", folder)
    naive = Naive(folder)
    ours = [Ours(name, stage) for name in WAYS]
    before = fsyncs(folder)
    try:
        found = await alternating([naive, *ours], rounds, count, None)
    finally:
        await naive.close()
        await stage.database.close()
    return found, median((before, fsyncs(folder)))


async def on_postgresql(url: str, folder: Path, rounds: int, count: int, server: int) -> Found:
    """The events on PostgreSQL, with and without their entries."""
    stage = await Stage.open(url, folder)
    try:
        return await alternating([Ours(name, stage) for name in WAYS], rounds, count, server)
    finally:
        await stage.database.close()


def table(found: Found, against: str, also: str = "") -> str:
    """Medians; `against` is the candidate the ratios are to."""
    heads = ("way", "answered / s", "in the tree / s", "CPU us answered", "CPU us in the tree")
    lines = [f"| {' | '.join(heads)} | rate to {against} | CPU to it |", "|---" * (len(heads) + 2) + "|"]
    rate = {name: median(a.per_second for a, _ in took) for name, took in found.items()}
    cost = {name: median(all_.cpu_us for _, all_ in took) for name, took in found.items()}
    for name, took in found.items():
        tree = median(all_.per_second for _, all_ in took)
        answered = median(a.cpu_us for a, _ in took)
        lines.append(
            f"| {name} | {rate[name]:.0f} | {tree:.0f} | {answered:.0f} | {cost[name]:.0f} "
            f"| {rate[name] / rate[against]:.2f} | {cost[name] / cost[against]:.2f} |"
        )
    return "\n".join(lines) + f"\n{also}\n"
