"""`python -m bench.policy [--count N]`: side by side on one machine; ratios travel, microseconds do not.

Both engines get the same questions in turn, so that a busy moment hits both. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel

from bench.policy.share import share
from consent.subjects import SubjectKey
from gateway.database import Database
from gateway.migrations import tables as every_table  # noqa: F401 - the metadata made whole
from gateway.policy.bundle import load, of
from gateway.policy.canary import try_out
from gateway.policy.decide import decide
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.opa import OpaAddress, OpaEngine
from gateway.policy.question import Question
from gateway.policy.record import record
from gateway.policy.server import LocalOpa
from tests import opa
from tests.policy.table import rows

Run = Callable[[Question], Awaitable[Any]]


def spread(seconds: list[float]) -> dict[str, float]:
    """Median and 99th percentile in microseconds, and how far they lie apart."""
    ordered = sorted(seconds)
    p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
    return {"p50_us": round(p50 * 1e6), "p99_us": round(p99 * 1e6), "p99_over_p50": round(p99 / p50, 2)}


async def timed(run: Run, question: Question) -> float:
    """One call."""
    begun = time.perf_counter()
    await run(question)
    return time.perf_counter() - begun


async def side_by_side(count: int) -> dict[str, Any]:
    """Embedded and OPA in turn on the table's allowed questions."""
    bundle = load()
    asked = [row.question for row in rows() if row.want["allow"]]
    binary, reason = opa.binary()
    mine, theirs = [], []
    embedded = EmbeddedEngine(bundle)
    if binary is None:
        return {"not_run": reason}
    async with LocalOpa(binary, bundle) as server:
        reference = OpaEngine(OpaAddress(server.url, timeout_seconds=10), bundle.revision)
        for number in range(count + 50):
            question = asked[number % len(asked)]
            first, second = await timed(embedded.decide, question), await timed(reference.decide, question)
            if number >= 50:
                mine.append(first)
                theirs.append(second)
        await reference.close()
    ratio = statistics.median(mine) / statistics.median(theirs)
    return {"embedded": spread(mine), "opa": spread(theirs), "embedded_over_opa": round(ratio, 2)}


async def with_record(count: int) -> dict[str, float]:
    """Decisions a second when each is sealed and stored, many to a transaction as a busy gateway has them."""
    engine, key, asked = EmbeddedEngine(load()), SubjectKey(bytes(32)), rows()[0].question
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}")
        async with database.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        begun = time.perf_counter()
        for _ in range(count // 50):
            made = [await decide(engine, asked) for _ in range(50)]
            async with database.transaction() as session:
                for one in made:
                    await record(
                        session, asked, one, at=datetime.now(UTC), seal=lambda plain: key.seal(plain, "bench")
                    )
        seconds = time.perf_counter() - begun
        await database.close()
    return {"decisions_a_second": round(count // 50 * 50 / seconds)}


async def reload() -> dict[str, float]:
    """A policy never seen before, compiled and tried on its canary rows: the median of nine."""
    seconds, asked, path = [], 0, "mydata/law/law.rego"
    for number in range(9):
        files = load().files
        bundle = of({**files, path: files[path] + b"# %d\n" % number})
        begun = time.perf_counter()
        engine = EmbeddedEngine(bundle)
        asked = await try_out(engine, bundle)
        seconds.append(time.perf_counter() - begun)
        await engine.close()
    return {"reload_ms": round(statistics.median(seconds) * 1000), "canary_questions": asked}


def memory(count: int) -> dict[str, float]:
    """How the process grows over many evaluations of one item each, after it has warmed up."""
    engine = EmbeddedEngine(load())
    asked = [json.dumps(_of_one_item(row.document)).encode() for row in rows()[:20]]
    for number in range(2000):
        engine.evaluate(asked[number % 20])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        engine.evaluate(asked[number % 20])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"evaluations": count, "grown_kb": grown}


def _of_one_item(document: Any) -> dict[str, Any]:
    return {**document, "request": {**document["request"], "items": document["request"]["items"][:1]}}


async def main(count: int) -> dict[str, Any]:
    """Every figure."""
    return {
        "side_by_side": await side_by_side(count),
        "with_record": await with_record(count),
        "reload": await reload(),
        "share": await share(10),
        "memory": memory(count * 5),
    }


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--count", type=int, default=2000)
    found = asyncio.run(main(given.parse_args().count))
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
