"""`python -m bench.token`: the table of bench/README.md, on this machine, now."""

from __future__ import annotations

import argparse
import asyncio
import os
import pstats
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.token import table
from bench.token.candidate import Candidate
from bench.token.ours import STORES, gateway
from bench.token.peer import peer
from bench.token.rounds import REPLAYED, BenchFailed, alternating
from bench.token.signed import Signer
from bench.token.works import KINDS, Work

CANDIDATES = ("mydata-postgresql", "mydata-sqlite", "peer-postgresql", "peer-memory")


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.token", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kind", choices=KINDS, default="token", help="what is asked (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=2000, help="a round (default: %(default)s)")
    parser.add_argument(
        "--warm", type=int, default=1000, help="requests before the clock (default: %(default)s)"
    )
    parser.add_argument("--only", choices=CANDIDATES, action="append", help="these candidates only")
    parser.add_argument("--node", default="node", help="the Node that runs the peer (default: %(default)s)")
    parser.add_argument(
        "--profile", type=int, metavar="N", help="profile our side instead: its N costliest functions"
    )
    return parser.parse_args(words)


@asynccontextmanager
async def started(chosen: argparse.Namespace, signer: Signer) -> AsyncIterator[list[Candidate]]:
    """Every candidate, until the block ends; the peer's tokens are opaque where it is asked about them."""
    with tempfile.TemporaryDirectory(prefix="mydata-bench-") as name:
        async with AsyncExitStack() as stack:
            folder, candidates = Path(name), []
            for wanted in chosen.only or CANDIDATES:
                kind, _, store = wanted.partition("-")
                running = (
                    gateway(store, signer, folder / store, None)
                    if kind == "mydata"
                    else peer(store, signer, chosen.node, opaque=chosen.kind == "introspect")
                )
                candidates.append(await stack.enter_async_context(running))
            yield candidates


async def compare(chosen: argparse.Namespace) -> table.Found:
    """Start every candidate, measure in turns, end them. Raises BenchFailed."""
    signer = Signer()
    async with started(chosen, signer) as candidates:
        work = Work(chosen.kind, signer)
        return await alternating(candidates, work, chosen.rounds, chosen.requests, chosen.warm)


async def profile(chosen: argparse.Namespace) -> None:
    """Print where our process spends its time, for each store; cProfile itself makes it slower."""
    for store in STORES:
        with tempfile.TemporaryDirectory(prefix="mydata-bench-") as name:
            signer, folder = Signer(), Path(name)
            written = folder / "profile"
            async with gateway(store, signer, folder / store, written) as candidate:
                work = Work(chosen.kind, signer)
                await alternating([candidate], work, 0, chosen.requests, chosen.warm)
                os.kill(candidate.server, signal.SIGUSR1)
                await alternating([candidate], work, chosen.rounds, chosen.requests, 0)
            # Only now, when the process has ended, is the profile there.
            sys.stdout.write(f"\n== {store}: {chosen.rounds * (chosen.requests + REPLAYED)} requests\n")
            pstats.Stats(str(written)).strip_dirs().sort_stats("tottime").print_stats(chosen.profile)


def main() -> int:
    """Run; 1 with one sentence when a candidate did not do the work."""
    chosen = arguments()
    if shutil.which(chosen.node) is None or not shutil.which("npm"):
        sys.stderr.write("bench.token needs node and npm for the peer\n")
        return 1
    os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    try:
        if chosen.profile:
            asyncio.run(profile(chosen))
        else:
            sys.stdout.write(table.text(asyncio.run(compare(chosen))))
    except BenchFailed as failed:
        sys.stderr.write(f"{failed}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
