"""`python -m tests.faults.expirer URL NOW`: a process that writes what has expired, to be killed at it."""

from __future__ import annotations

import asyncio
import sys

from gateway.database import Database
from gateway.retention.jobs import Job
from gateway.retention.sweep import Sweep
from gateway.telemetry import Metrics
from tests.unit.gateway.retention.living import Living


async def main(url: str, now: int) -> None:
    """Write expiries, then go the daily round, from the beginning to the end."""
    database = Database(url)
    living = Living(database)
    made = (Job("expiring", (living.expiring,)), Job("round", (living.round,)))
    await Sweep(database, made, Metrics()).once(now)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
