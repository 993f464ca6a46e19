"""`python -m tests.faults.sweeper URL NOW`: a process that ends what is over, to be killed at it."""

from __future__ import annotations

import asyncio
import sys

from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.database import Database
from gateway.retention.jobs import jobs
from gateway.retention.sweep import Sweep
from gateway.telemetry import Metrics


async def main(url: str, now: int) -> None:
    """Sweep once, from the beginning to the end."""
    database = Database(url)
    made = jobs(Journal(SubjectKeys(bytes(32)), "sweeper"), "operator")
    await Sweep(database, made, Metrics()).once(now)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
