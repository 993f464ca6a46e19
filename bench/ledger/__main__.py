"""`python -m bench.ledger`: appending beside a naive chain; proofs, look-ups and bytes of a large log.

Everything alternates within one run; what is compared with something was measured beside it. See README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from bench.ledger import appends, lookups, replicas
from bench.ledger.grown import Grown
from bench.ledger.naive import Naive
from tests import postgres

PARTS = ("sqlite", "postgresql", "replicas", "grown")


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    read = argparse.ArgumentParser(prog="python -m bench.ledger")
    read.add_argument("--only", choices=PARTS, action="append")
    read.add_argument("--rounds", type=int, default=5)
    read.add_argument("--events", type=int, default=4000, help="events a round and way")
    read.add_argument("--seconds", type=float, default=10, help="how long each number of replicas writes")
    read.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000], help="entries of the log")
    read.add_argument("--times", type=int, default=200, help="look-ups of each kind at each size")
    return read.parse_args(given)


async def run(chosen: argparse.Namespace) -> AsyncIterator[str]:
    """Measure what was chosen; each table as soon as it is done. Raises BenchFailed."""
    parts = chosen.only or PARTS
    yield f"load average before: {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores\n"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name in PARTS:
            (folder / name).mkdir()
        if "sqlite" in parts:
            yield await _sqlite(folder / "sqlite", chosen)
        if "postgresql" in parts:
            async with _server() as (url, server):
                found = await appends.on_postgresql(
                    url, folder / "postgresql", chosen.rounds, chosen.events, server
                )
            yield "PostgreSQL\n" + appends.table(found, "without ledger")
        if "replicas" in parts:
            async with _server() as (url, server):
                told = await replicas.measure(url, folder / "replicas", server, chosen.seconds)
            yield replicas.table(told)
        if "grown" in parts:
            async for said in _grown(folder / "grown", chosen):
                yield said
    yield f"load average after: {os.getloadavg()[0]:.1f}\n"


async def _sqlite(folder: Path, chosen: argparse.Namespace) -> str:
    found, syncs = await appends.on_sqlite(folder, chosen.rounds, chosen.events)
    told = f"fsync probe: {syncs:.0f} a second\n"
    return "SQLite\n" + appends.table(found, Naive.name, told)


async def _grown(folder: Path, chosen: argparse.Namespace) -> AsyncIterator[str]:
    grown = await Grown.begin(folder)
    try:
        for size in sorted(chosen.sizes):
            await grown.grow(size)
            yield await _at(grown, chosen.times)
    finally:
        await grown.stage.database.close()


async def _at(grown: Grown, times: int) -> str:
    """Everything about the log at its present size, as lines of `what | CPU us | clock us`."""
    lines = [f"{grown.size:,} entries", "", "| what | CPU us | clock us, median |", "|---|---|---|"]
    for name, took in grown.steps.items():
        lines.append(f"| {name}: an entry | {took.cpu_us:.0f} | {took.seconds / took.count * 1e6:.0f} |")
    asked = lookups.lookups(grown, random.Random(grown.size))  # noqa: S311 - which entries are asked for
    for name, (cpu, clock) in (await lookups.costs(asked, times)).items():
        lines.append(f"| {name} | {cpu:.0f} | {clock:.0f} |")
    cost, hashes = await lookups.checked(grown)
    lines.append(f"| checking an inclusion proof of {hashes} hashes | {cost:.0f} | |")
    each, beyond = await lookups.rederived(grown)
    lines.append(f"| `mydata ledger verify`: an entry | {each:.2f} | |")
    lines += ["", f"verified: {1e6 / each:,.0f} entries a CPU second"]
    lines.append(f"an export holds {beyond:.1f} bytes an entry beyond the entry")
    tables = (await grown.bytes_an_entry()).items()
    lines.append("the store: " + ", ".join(f"{name} {used:.1f}" for name, used in tables) + " bytes an entry")
    told = await lookups.papers(grown)
    lines.append("a trail: " + ", ".join(f"{name} {value:.0f}" for name, value in told.items()) + " bytes")
    return "\n".join(lines) + "\n"


@asynccontextmanager
async def _server() -> AsyncIterator[tuple[str, int]]:
    """An empty database of a PostgreSQL of its own, with fsync, and its process."""
    with postgres.cluster(fsync=True) as socket:
        connection = await asyncpg.connect(host=socket, user="mydata", database="postgres")
        await connection.execute("CREATE DATABASE bench")
        await connection.close()
        server = int((Path(socket) / "data/postmaster.pid").read_text().split()[0])
        yield postgres.url(socket, "bench"), server


async def _print(chosen: argparse.Namespace) -> None:
    async for said in run(chosen):
        sys.stdout.write(said + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_print(arguments()))
