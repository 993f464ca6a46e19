"""What a run took: seconds, our CPU and the database server's, per event; and what a bare fsync takes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bench.token import cpu

WRITERS = 256
_PAGE = b"\0" * 4096


class BenchFailed(Exception):
    """Something that is measured was not done: an entry lost, doubled, or not in the tree."""


@dataclass(frozen=True, slots=True)
class Took:
    """`count` events took `seconds` of the clock and `cpu` seconds of every process of ours."""

    count: int
    seconds: float
    cpu: float

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.count / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds an event."""
        return self.cpu / self.count * 1e6

    def then(self, more: Took) -> Took:
        """The same events with what was done for them afterwards."""
        return Took(self.count, self.seconds + more.seconds, self.cpu + more.cpu)


async def timed(count: int, work: Awaitable[object], server: int | None = None) -> Took:
    """Do `work` for `count` events; `server` is the process of PostgreSQL, whose CPU counts, too."""
    theirs, begun, ours = of_server(server), time.perf_counter(), time.process_time()
    await work
    seconds, used = time.perf_counter() - begun, time.process_time() - ours
    return Took(count, seconds, used + of_server(server) - theirs)


def of_server(server: int | None) -> float:
    """CPU seconds of a PostgreSQL server so far: of its processes that live and that ended."""
    return 0.0 if server is None else cpu.spent(cpu.family(server)) / 1e9


async def spread(count: int, one: Callable[[int], Awaitable[None]], writers: int = WRITERS) -> None:
    """Do `one` for 0 to `count` - 1: so many `writers` at once, each waiting for its answer."""
    numbers = iter(range(count))

    async def writer() -> None:
        for number in numbers:
            await one(number)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(min(writers, count)):
            tasks.create_task(writer())


def fsyncs(folder: Path, seconds: float = 0.5) -> float:
    """How often a second 4 kB are appended to a file there and made durable, one after the other."""
    handle = os.open(folder / "probe", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    done, begun = 0, time.perf_counter()
    try:
        while (passed := time.perf_counter() - begun) < seconds or not done:
            os.write(handle, _PAGE)
            os.fdatasync(handle)
            done += 1
    finally:
        os.close(handle)
        (folder / "probe").unlink()
    return done / passed
