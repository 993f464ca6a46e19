"""A server that is measured, with everything whose CPU counts against it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.token import cpu
from tests import postgres

SERVER_CORE = 0
_CALM_NS_PER_SECOND = 30_000_000
_LONGEST_WAIT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """Where it listens and which processes it is. `database` is the first process of its own server."""

    name: str
    port: int
    server: int
    database: int | None = None
    refresh_tokens: tuple[str, ...] = ()
    """Of citizens it was told about at the start."""

    def spent(self) -> tuple[int, int]:
        """CPU so far of the server and of its database, in nanoseconds."""
        stored = cpu.spent(cpu.family(self.database)) if self.database else 0
        return cpu.spent([self.server]), stored

    def pin(self) -> None:
        """Keep server and database on one core; the load has another."""
        cpu.pin([self.server, *(cpu.family(self.database) if self.database else ())], SERVER_CORE)

    async def calm(self) -> None:
        """Wait until what the answers left to do is done (a log sequenced, garbage collected)."""
        until, before = time.monotonic() + _LONGEST_WAIT_SECONDS, sum(self.spent())
        while time.monotonic() < until:
            await asyncio.sleep(0.25)
            now = sum(self.spent())
            if (now - before) * 4 < _CALM_NS_PER_SECOND:
                return
            before = now


@contextmanager
def own_cluster() -> Iterator[tuple[str, int]]:
    """A PostgreSQL server of its own, with fsync: its socket folder and its first process."""
    with postgres.cluster(fsync=True) as socket:
        yield socket, int((Path(socket) / "data/postmaster.pid").read_text().split("\n", 1)[0])


@asynccontextmanager
async def database(name: str) -> AsyncIterator[tuple[str, int]]:
    """An empty database `name` in a cluster of its own: the socket folder and the first process."""
    with own_cluster() as (socket, pid):
        connection = await asyncpg.connect(host=socket, user="mydata", database="postgres")
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        yield socket, pid
