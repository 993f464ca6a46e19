"""A process that completes withdrawals, one consent a transaction, until killed: `completer URL NOW`."""

from __future__ import annotations

import asyncio
import sys

from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.database import Database
from gateway.retention.completing import completing


async def main(url: str, now: int) -> None:
    """Complete until nothing waits."""
    database = Database(url)
    step = completing(Journal(SubjectKeys(b"k" * 32), "completer"))
    try:
        more = True
        while more:
            async with database.transaction() as session:
                more = (await step(session, now)).ended > 0
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
