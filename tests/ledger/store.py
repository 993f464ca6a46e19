"""A store under faults: writers in processes of their own, and all they acknowledged, held to account."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from sqlalchemy import select
from sqlmodel import SQLModel

from consent.journal import Journal
from consent.ledger.verify import verify
from consent.ledger_tables import ENTRY, OUTBOX, PAYLOAD
from consent.subjects import SubjectId
from gateway.database import Database
from gateway.ledger import Log, export, trail
from tests.ledger.faulting import Outcome
from tests.ledger.writer import KEYS, NAME
from tests.unit.consent.ledger.exports import SIGNER

SECONDS = 60


@dataclass
class Running:
    """A writer: what it said, line by line, each with the moment (monotonic seconds) it was read."""

    run: str
    process: subprocess.Popen[str]
    errors: Path
    traced: bool = False
    lines: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append((time.monotonic(), line.strip()))

    def published(self, since: float = 0.0) -> float | None:
        """When it first said, after `since`, that a signed checkpoint covers what it wrote."""
        return next((at for at, line in self.lines if at > since and line.startswith("published")), None)

    def slowest_turn(self, lost: float) -> float:
        """The longest it took from one publication to the next, but for the turn somebody was lost in."""
        times = [at for at, line in self.lines if line.startswith("published")]
        return max((b - a for a, b in pairwise(times) if not a <= lost < b), default=0.0)

    def wait_published(self, since: float = 0.0) -> None:
        """Wait until it published once after `since`, or ended."""
        deadline = time.monotonic() + SECONDS
        while self.published(since) is None and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)

    def wait_settled(self, seconds: float) -> None:
        """Wait until it ended, or a try of it failed and it had a second to try again."""
        deadline = time.monotonic() + seconds
        while "failed" not in self.errors.read_text() and time.monotonic() < deadline:
            if self.process.poll() is not None:
                return
            time.sleep(0.02)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(1)

    def wait_failed(self) -> None:
        """Wait until a try of it failed."""
        deadline = time.monotonic() + SECONDS
        while "failed" not in self.errors.read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert "failed" in self.errors.read_text(), "the fault was not felt"

    def ended(self, *, kill: bool = False) -> list[str]:
        """Let it end, or kill it; the idems it acknowledged."""
        kill = kill and self.process.poll() is None
        if kill and self.traced:  # its tracer ignores the signal and ends when it is gone
            os.killpg(self.process.pid, signal.SIGTERM)
        elif kill:
            self.process.kill()
        self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        if self.process.stdout:
            self.process.stdout.close()
        return [line for _, line in self.lines if line.startswith(f"{self.run}/")]


@dataclass
class Store:
    """A database, and the folder that is no part of its backups."""

    url: str
    folder: Path
    subject: SubjectId | None = None
    key: str = ""
    acknowledged: list[str] = field(default_factory=list)
    checked: int = 0

    async def make(self) -> Store:
        """Make the tables and one citizen."""
        database = Database(self.url)
        async with database.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        async with database.transaction() as session:
            self.subject = await KEYS.create(session)
        log = Log(database, SIGNER, NAME, self.folder / "last-signed")
        await log.open(Journal(KEYS, "first"))
        await log.integrate_now()
        self.key = log.vkey
        await database.close()
        return self

    def write(self, run: str, *options: str, rounds: int = 6, under: Sequence[str] = ()) -> Running:
        """Start a writer, under the tracer that the command line `under` starts, if any."""
        command = [*under, sys.executable, "-m", "tests.ledger.writer", self.url, str(self.folder), run]
        errors = self.folder / f"{run}.log"
        with errors.open("w") as log:
            process = subprocess.Popen(
                [*command, str(rounds), str(self.subject), *options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=bool(under),
            )
        return Running(run, process, errors, bool(under))

    async def settle(self, *ended: list[str]) -> Outcome:
        """Move the log to its end; hold it to what was said and to the export before, open every trail."""
        before_this = len(self.acknowledged)
        for idems in ended:
            self.acknowledged += idems
        database = Database(self.url)
        log = Log(database, SIGNER, NAME, self.folder / "last-signed")
        await log.open(Journal(KEYS, "settling"))
        await log.integrate_now()
        joined = ENTRY.join(PAYLOAD, PAYLOAD.c.outbox_id == ENTRY.c.outbox_id)
        place = self.folder / f"export-{self.checked}"
        async with database.reading() as session:
            stored = Counter((await session.execute(select(PAYLOAD.c.idem).select_from(joined))).scalars())
            left = (await session.execute(select(OUTBOX.c.id))).all()
            await export(session, place)
            opened = await trail(session, KEYS, SubjectId(str(self.subject)))
        await database.close()
        before = self.folder / f"export-{self.checked - 1}" / "checkpoint"
        pinned = before.read_bytes() if before.exists() else None
        report = verify(place, self.key, pinned, opened)
        self.checked += 1

        stored.pop(None, None)  # statements of the log itself
        for finding in report.findings:
            print(finding)
        return Outcome.judged(self.acknowledged, before_this, stored, len(report.findings) + len(left))
