"""One replica: writes a citizen's events and moves the log for some seconds; prints what it did as JSON.

Run by `bench.ledger.replicas`: python -m bench.ledger.replica URL FOLDER SECONDS
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from bench.ledger.measure import WRITERS
from bench.ledger.stage import Stage


async def main(url: str, folder: Path, seconds: float) -> None:
    """Wait for a line of input, write, print."""
    stage = await Stage.join(url, folder)
    _say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    moving = asyncio.create_task(stage.log.run())
    cpu, end, done = time.process_time(), time.monotonic() + seconds, 0

    async def writer(number: int) -> None:
        nonlocal done
        while time.monotonic() < end:
            await stage.event(number)
            done += 1
            number += WRITERS

    async with asyncio.TaskGroup() as tasks:
        for number in range(WRITERS):
            tasks.create_task(writer(number))
    used = time.process_time() - cpu
    moving.cancel()
    await asyncio.gather(moving, return_exceptions=True)
    await stage.database.close()
    _say(json.dumps({"done": done, "cpu": used}))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])))
