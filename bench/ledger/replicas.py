"""One, two and three replicas on one PostgreSQL: what they answer together, and that nothing is lost."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

from bench.ledger.measure import BenchFailed, Took, of_server
from bench.ledger.stage import Stage

_PATIENCE = 60
"""Seconds that a replica may take to end."""


async def measure(url: str, folder: Path, server: int, seconds: float, most: int = 3) -> dict[int, Took]:
    """What 1 to `most` replicas did in `seconds` each, by their number. Raises BenchFailed."""
    stage = await Stage.open(url, folder)
    try:
        counts = range(1, most + 1)
        return {count: await _at_once(stage, (url, folder, seconds), server, count) for count in counts}
    finally:
        await stage.database.close()


def table(found: dict[int, Took]) -> str:
    """Answers a second, and CPU an event: all replicas and the server."""
    lines = ["| replicas | answered / s | CPU us an event |", "|---|---|---|"]
    lines += [f"| {count} | {took.per_second:.0f} | {took.cpu_us:.0f} |" for count, took in found.items()]
    return "\n".join(lines) + "\n"


async def _at_once(stage: Stage, said: tuple[str, Path, float], server: int, count: int) -> Took:
    await stage.log.integrate_now()
    before = await stage.entered()
    replicas = [await _start(*said) for _ in range(count)]
    begun, theirs = time.perf_counter(), of_server(server)
    told = await asyncio.gather(*(_go(one, said[2]) for one in replicas))
    passed, theirs = time.perf_counter() - begun, of_server(server) - theirs
    done = sum(int(one["done"]) for one in told)
    await stage.log.integrate_now()
    if await stage.entered() - before != done:
        raise BenchFailed(f"{count} replicas: {await stage.entered() - before} entries for {done} answers")
    return Took(done, passed, sum(float(one["cpu"]) for one in told) + theirs)


async def _start(url: str, folder: Path, seconds: float) -> Process:
    words: Sequence[str] = (sys.executable, "-m", "bench.ledger.replica", url, str(folder), str(seconds))
    started = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE)
    if started.stdout is None or await started.stdout.readline() != b"ready\n":
        raise BenchFailed("a replica did not start")
    return started


async def _go(replica: Process, seconds: float) -> dict[str, float]:
    try:
        async with asyncio.timeout(seconds + _PATIENCE):
            out, _ = await replica.communicate(b"go\n")
    except TimeoutError:
        replica.kill()
        raise BenchFailed("a replica did not end") from None
    if replica.returncode != 0:
        raise BenchFailed("a replica failed")
    said: dict[str, float] = json.loads(out)
    return said
