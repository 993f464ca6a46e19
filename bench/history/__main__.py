"""`python -m bench.history`: CPU microseconds a look-up, for 1,000 to 1,000,000 past consents of one citizen.

Past consents, with their grants, tokens and transfers, are made in bulk on a store of its own; then every
look-up is run in turns, and its CPU taken: ours and, for PostgreSQL, the server's. Medians of five rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from bench.history.lookups import LookUp, lookups
from bench.history.past import Living
from bench.token import cpu
from gateway.database import Database
from tests import postgres
from tests.tables import fresh_database

ROUNDS = 5
Curve = dict[str, dict[int, float]]


def main() -> None:
    """Measure and print."""
    read = argparse.ArgumentParser(prog="python -m bench.history")
    read.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    read.add_argument("--times", type=int, default=40, help="look-ups a round")
    read.add_argument("--only", choices=["sqlite", "postgresql"], action="append")
    chosen = read.parse_args()
    for store in chosen.only or ["sqlite", "postgresql"]:
        curve = asyncio.run(measure(store, chosen.sizes, chosen.times))
        sys.stdout.write(table(store, curve) + "\n")
        sys.stdout.flush()


async def measure(store: str, sizes: list[int], times: int) -> Curve:
    """CPU microseconds by look-up and size, on a store made for this."""
    curve: Curve = {}
    async with _opened(store) as (database, server):
        living = Living(database)
        await living.begin()
        found = lookups(living)
        for size in sorted(sizes):
            begun = time.perf_counter()
            await living.grow(size)
            sys.stderr.write(f"{store}: {size} past consents after {time.perf_counter() - begun:.0f} s\n")
            rounds = [
                {name: await _cost(one, times, server) for name, one in found.items()} for _ in range(ROUNDS)
            ]
            for name in found:
                curve.setdefault(name, {})[size] = statistics.median(one[name] for one in rounds)
    return curve


def table(store: str, curve: Curve) -> str:
    """The curve as a table of a paper; `growth` is the last column over the first."""
    sizes = list(next(iter(curve.values())))
    lines = [f"| {store} | " + " | ".join(f"{size:,}" for size in sizes) + " | growth |"]
    lines.append("|---" * (len(sizes) + 2) + "|")
    for name, costs in curve.items():
        cells = " | ".join(f"{costs[size]:.0f}" for size in sizes)
        lines.append(f"| {name} | {cells} | {costs[sizes[-1]] / costs[sizes[0]]:.2f} |")
    return "\n".join(lines) + "\n"


async def _cost(one: LookUp, times: int, server: int | None) -> float:
    await one()
    pids = [] if server is None else cpu.family(server)
    ours, theirs = time.process_time_ns(), cpu.spent(pids)
    for _ in range(times):
        await one()
    return (time.process_time_ns() - ours + cpu.spent(pids) - theirs) / times / 1000


async def _alone(database: Database) -> None:
    """No vacuum of the server's own while we measure; we tell it what the tables hold."""
    async with database.engine.connect() as connection:
        free = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await free.exec_driver_sql("ALTER SYSTEM SET autovacuum = off")
        await free.exec_driver_sql("SELECT pg_reload_conf()")


@asynccontextmanager
async def _opened(store: str) -> AsyncIterator[tuple[Database, int | None]]:
    with ExitStack() as stack:
        if store == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url, server = f"sqlite+aiosqlite:///{folder}/history.db", None
        else:
            socket = stack.enter_context(postgres.cluster(fsync=True))
            server = int((Path(socket) / "data/postmaster.pid").read_text().split()[0])
            url = await fresh_database(socket)
        database = Database(url)
        if server is not None:
            await _alone(database)
        try:
            yield database, server
        finally:
            await database.close()


if __name__ == "__main__":
    main()
