"""A store under faults: writers in processes of their own, and all they acknowledged, held to account."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlmodel import SQLModel

from consent.journal import Journal
from consent.ledger.verify import verify
from consent.ledger_tables import ENTRY, OUTBOX, PAYLOAD
from consent.subjects import SubjectId
from gateway.database import Database
from gateway.ledger import Log, export, trail
from tests.ledger.writer import KEYS, NAME
from tests.unit.consent.ledger.exports import SIGNER

SECONDS = 60


@dataclass
class Running:
    """A writer: what it said, line by line, each with the moment (monotonic seconds) it was read."""

    run: str
    process: subprocess.Popen[str]
    errors: Path
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

    def wait_published(self) -> None:
        """Wait until it published once, or ended."""
        deadline = time.monotonic() + SECONDS
        while self.published() is None and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)

    def wait_failed(self) -> None:
        """Wait until a try of it failed."""
        deadline = time.monotonic() + SECONDS
        while "failed" not in self.errors.read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert "failed" in self.errors.read_text(), "the fault was not felt"

    def ended(self, *, kill: bool = False) -> list[str]:
        """Let it end, or kill it; the idems it acknowledged."""
        if kill:
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

    def write(self, run: str, *options: str, rounds: int = 6) -> Running:
        """Start a writer."""
        command = [sys.executable, "-m", "tests.ledger.writer", self.url, str(self.folder), run]
        errors = self.folder / f"{run}.log"
        with errors.open("w") as log:
            process = subprocess.Popen(
                [*command, str(rounds), str(self.subject), *options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        return Running(run, process, errors)

    async def settle(self, *ended: list[str]) -> None:
        """Move the log to its end: nothing said is lost or stands twice, the export continues the last."""
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
        assert report.findings == []
        assert left == []
        lost = [idem for idem in self.acknowledged if idem not in stored]
        assert lost == [], "acknowledged entries are lost"
        assert set(stored.values()) <= {1}, "an entry stands twice"
