"""A gateway's ledger half in a process of its own: appends, integrates and publishes until it is ended.

    python -m tests.ledger.writer URL FOLDER RUN ROUNDS [SUBJECT]
        [--die STATEMENT] [--jumps] [--full PAGES] [--until FILE]

Prints the idem of each acknowledged entry, and `published POSITION` once a signed checkpoint covers a round.
What fails is tried again under the same idem. `--die` is gone without a word at that statement of its own,
`--jumps` moves its clock by up to a year either way each round, `--full` is a disk with so few pages left,
`--until` ends it early, after the round in which that file appears.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from consent.events import Event
from consent.journal import Journal
from consent.subjects import SubjectId, SubjectKeys
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger import Log
from tests.unit.consent.ledger.exports import SIGNER

NAME = "mydata.test/ledger/{year}"
KEYS = SubjectKeys(bytes(32))
PER_ROUND = 5
JUMPS = (-366 * 86_400, -3600, -5, 5, 3600, 366 * 86_400)


class Writer:
    """One run."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self._chosen = chosen
        self._chance = random.Random(chosen.run)
        self._offset = 0
        self.database = Database(chosen.url, wait_seconds=3)
        self._journal = Journal(KEYS, chosen.run)
        self.log = Log(
            self.database, SIGNER, NAME, chosen.folder / "last-signed", clock=self._clock, tick=0.05
        )

    def _clock(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self._offset, UTC)

    async def run(self) -> None:
        """All rounds."""
        await self._again(lambda: self.log.open(self._journal))
        moving = asyncio.create_task(self.log.run())
        print("ready", flush=True)
        for number in range(self._chosen.rounds):
            if self._chosen.until and self._chosen.until.exists():
                break
            if self._chosen.jumps:
                self._offset = self._chance.choice(JUMPS)
            idems = [f"{self._chosen.run}/{number}/{i}" for i in range(PER_ROUND)]
            await self._again(lambda idems=idems: self._append(idems))
            print("\n".join(idems), flush=True)
            position = await self._again(lambda last=idems[-1]: self.log.wait_integrated(last, 20))
            print(f"published {position}", flush=True)
            if moving.done():
                raise RuntimeError("the log stopped moving") from moving.exception()
        moving.cancel()
        await asyncio.gather(moving, return_exceptions=True)  # or a connection of it would outlive the store
        await self.database.close()

    async def _append(self, idems: list[str]) -> None:
        async with self.database.transaction() as session:
            for number, idem in enumerate(idems):
                subject = SubjectId(self._chosen.subject) if self._chosen.subject and number % 2 else None
                await self._journal.append(
                    session,
                    Event.PULL_HOLDER_DONE,
                    subject=subject,
                    party="p",
                    payload={"i": number},
                    at=max(0, int(self._clock().timestamp())),
                    idem=idem,
                )
        self.log.wake()

    async def _again(self, work: Any) -> Any:
        while True:
            try:
                return await work()
            except (Problem, SQLAlchemyError, OSError) as error:
                print(f"failed {type(error).__name__} {error}", file=sys.stderr, flush=True)
                await asyncio.sleep(0.05)


def limit(database: Database, file: Path, pages: int) -> None:
    """Leave the SQLite file no room but `pages` pages: SQLITE_FULL from then on."""
    with closing(sqlite3.connect(file)) as now:
        most = now.execute("PRAGMA page_count").fetchone()[0] + pages

    @event.listens_for(database.engine.sync_engine, "connect")
    def full(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count = {most}")
        cursor.close()


def die(database: Database, statement: str) -> None:
    """Be gone, without any clean-up, at the third such statement."""
    seen = [0]

    @event.listens_for(database.engine.sync_engine, "after_cursor_execute")
    def gone(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        seen[0] += text.startswith(statement)
        if seen[0] == 3:
            os._exit(9)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("run")
    parser.add_argument("rounds", type=int)
    parser.add_argument("subject", nargs="?")
    parser.add_argument("--die")
    parser.add_argument("--jumps", action="store_true")
    parser.add_argument("--full", type=int)
    parser.add_argument("--until", type=Path)
    chosen = parser.parse_args()
    writer = Writer(chosen)
    if chosen.die:
        die(writer.database, chosen.die)
    if chosen.full is not None:
        limit(writer.database, chosen.folder / "mydata.db", chosen.full)
    asyncio.run(writer.run())


if __name__ == "__main__":
    main()
