"""Disks that fail and processes that are killed under a log that is being written: nothing said is lost.

After every fault the database is opened again, everything acknowledged must be in the log exactly once, and
the export must verify as a continuation of the one before. `make faults` does more than the sample here.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from consent.ledger.verify import verify
from consent.ledger_tables import ENTRY, PAYLOAD
from gateway.database import Database
from gateway.ledger import Log, export
from tests.ledger.faulting import Faults, Outcome
from tests.ledger.tracing import WRITES, Failing
from tests.unit.consent.ledger.exports import ORIGIN, SIGNER

DISKS = Faults("failing call on SQLite's and the log's files", 320, 8)
KILLS = Faults("SIGKILL of an appending writer", 60, 2)
SECONDS = 60
FRESH = 20
"""So many faults meet one log, then a new one."""
CALLS = (
    *("pwrite64", "fdatasync", "write", "fsync", "openat", "rename", "ftruncate", "unlink"),
    *("fchown", "flock"),
)
FILES = (
    *("mydata.db", "mydata.db-wal", "mydata.db-shm", "mydata.db-journal"),
    *("last-signed", "last-signed.new", "last-signed.lock", "."),
)


@dataclass
class Appended:
    """A log in a folder of its own, and what its writers acknowledged."""

    folder: Path
    acknowledged: list[str] = field(default_factory=list)
    exported: int = 0

    async def make(self) -> Appended:
        """Make the folder and the tables."""
        self.folder.mkdir()
        database = Database(f"sqlite+aiosqlite:///{self.folder / 'mydata.db'}")
        async with database.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        await database.close()
        return self

    def append(self, run: str, under: Sequence[str] = (), kill_after: int | None = None) -> list[str]:
        """What a writer acknowledged before it ended or was killed after so many lines."""
        command = [*under, sys.executable, "-m", "tests.ledger.appender", str(self.folder), run]
        with (
            (self.folder / f"{run}.log").open("w") as log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
        ):
            said: list[str] = []
            for line in process.stdout or ():
                said.append(line.strip())
                if kill_after is not None and len(said) > kill_after:
                    process.kill()
            process.wait(SECONDS)
        return [line for line in said if line.startswith(f"{run}/")]

    async def settle(self, said: list[str]) -> Outcome:
        """Open again, move the log, compare with what was acknowledged and what was exported before."""
        before_this = len(self.acknowledged)
        self.acknowledged += said
        database = Database(f"sqlite+aiosqlite:///{self.folder / 'mydata.db'}")
        log = Log(database, SIGNER, ORIGIN, self.folder / "last-signed")
        await log.integrate_now()
        joined = ENTRY.join(PAYLOAD, PAYLOAD.c.outbox_id == ENTRY.c.outbox_id)
        place = self.folder / f"export-{self.exported}"
        async with database.reading() as session:
            stored = Counter((await session.execute(select(PAYLOAD.c.idem).select_from(joined))).scalars())
            await export(session, place)
        await database.close()
        before = self.folder / f"export-{self.exported - 1}" / "checkpoint"
        report = verify(place, log.vkey, before.read_bytes() if before.exists() else None)
        self.exported += 1
        for finding in report.findings:
            print(finding)
        return Outcome.judged(self.acknowledged, before_this, stored, len(report.findings))


@pytest.mark.timeout(SECONDS * 10 + SECONDS * DISKS.count)
async def test_failing_disks_lose_nothing(tmp_path: Path) -> None:
    """Every write-type call the writer makes fails, once or for ever, EIO or ENOSPC, at seeded moments."""
    felt = []
    for turn, number in enumerate(DISKS):
        if turn % FRESH == 0:
            log = await Appended(tmp_path / f"log-{turn}").make()
        failing = Failing(DISKS.chance(number), number, CALLS, WRITES, tmp_path / "trace")
        said = log.append(f"disk-{number}", failing.under([log.folder / name for name in FILES]))
        felt.append(failing.felt())
        outcome = await log.settle(said)
        DISKS.settled(number, outcome, felt=felt[-1], call=f"{failing.call} {failing.error}")

    assert sum(felt) * 2 >= len(felt), "too few faults were felt"


@pytest.mark.timeout(SECONDS * 10 + SECONDS * KILLS.count)
async def test_killed_writers_lose_nothing(tmp_path: Path) -> None:
    """SIGKILL at seeded moments between the first acknowledgement and the last."""
    for turn, number in enumerate(KILLS):
        if turn % FRESH == 0:
            log = await Appended(tmp_path / f"log-{turn}").make()
        said = log.append(f"kill-{number}", kill_after=KILLS.chance(number).randrange(1, 400))
        KILLS.settled(number, await log.settle(said))

        assert said
