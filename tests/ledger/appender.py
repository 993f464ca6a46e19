"""Appends to a log until its input ends or the store fails; prints the idem of each acknowledged entry.

Run as a process of its own by the faults: python -m tests.ledger.appender FOLDER RUN
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from consent.events import Event
from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger import Log
from tests.unit.consent.ledger.exports import ORIGIN, SIGNER

ROUNDS = 12
PER_ROUND = 40


async def main(folder: Path, run: str) -> None:
    """Append in rounds, move the log after each; what fails is tried no more, what was said stays said."""
    database = Database(f"sqlite+aiosqlite:///{folder / 'mydata.db'}")
    journal = Journal(SubjectKeys(bytes(32)), "appender")
    log = Log(database, SIGNER, ORIGIN, folder / "last-signed")
    print("ready", flush=True)
    for number in range(ROUNDS):
        try:
            async with database.transaction() as session:
                idems = [f"{run}/{number}/{i}" for i in range(PER_ROUND)]
                for idem in idems:
                    await journal.append(
                        session,
                        Event.PULL_HOLDER_DONE,
                        subject=None,
                        party="p",
                        payload={},
                        at=number,
                        idem=idem,
                    )
            print("\n".join(idems), flush=True)
            await log.integrate_now()
        except (Problem, SQLAlchemyError, OSError) as error:
            print(f"failed {type(error).__name__}", file=sys.stderr, flush=True)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
