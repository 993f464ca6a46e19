"""Disks that fail and processes that are killed under a log that is being written: nothing said is lost.

After every fault the database is opened again, everything acknowledged must be in the log exactly once, and
the export must verify as a continuation of the one before. `make faults` does more than the sample here.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from consent.ledger.verify import verify
from consent.ledger_tables import ENTRY, PAYLOAD
from gateway.database import Database
from gateway.ledger import Log, export
from tests.ledger.faulting import FAULTS as ASKED
from tests.ledger.faulting import share, told
from tests.unit.consent.ledger.exports import ORIGIN, SIGNER

FAULTS = share(400, 8)
KILLS = share(60, 2)
SECONDS = 60
CALLS = ("pwrite64", "fdatasync", "write", "fsync", "openat", "rename", "ftruncate", "unlink")
ERRORS = ("EIO", "ENOSPC")


def strace() -> str:
    """The path of strace; skips where there is none or it may trace nobody."""
    path = shutil.which("strace")
    tried = [path or "", "-e", "trace=none", "true"]
    if path is None or subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip("group strace: no strace that may trace on this machine")
    return path


def said(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Print it, when more than the sample was run."""
    if ASKED:
        with capsys.disabled():
            print(f"\n{line}", flush=True)


async def made(folder: Path) -> Path:
    """A database with the tables."""
    database = Database(f"sqlite+aiosqlite:///{folder / 'mydata.db'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    await database.close()
    return folder


def appended(folder: Path, run: str, prefix: list[str], kill_after: int | None = None) -> list[str]:
    """What the appender acknowledged before it ended or was killed after so many lines."""
    command = [*prefix, sys.executable, "-m", "tests.ledger.appender", str(folder), run]
    with (
        (folder / f"{run}.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        said: list[str] = []
        for line in process.stdout or ():
            said.append(line.strip())
            if kill_after is not None and len(said) > kill_after:
                process.kill()
        process.wait(SECONDS)
    return [line for line in said if line.startswith(f"{run}/")]


async def settled(folder: Path, acknowledged: list[str], number: int) -> None:
    """Open again, move the log, and compare with what was acknowledged and what was exported before."""
    database = Database(f"sqlite+aiosqlite:///{folder / 'mydata.db'}")
    log = Log(database, SIGNER, ORIGIN, folder / "last-signed")
    await log.integrate_now()
    joined = ENTRY.join(PAYLOAD, PAYLOAD.c.outbox_id == ENTRY.c.outbox_id)
    async with database.reading() as session:
        stored = Counter((await session.execute(select(PAYLOAD.c.idem).select_from(joined))).scalars())
        await export(session, folder / f"export-{number}")
    await database.close()
    before = folder / f"export-{number - 1}" / "checkpoint"
    report = verify(folder / f"export-{number}", log.vkey, before.read_bytes() if before.exists() else None)

    assert report.findings == []
    assert set(acknowledged) <= set(stored), "an acknowledged entry is lost"
    assert set(stored.values()) <= {1}, "an entry stands twice"


@pytest.mark.timeout(SECONDS * 10 * (1 + FAULTS // 10))
async def test_failing_disks_lose_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One system call fails, once or from then on; every write-type call, both errors, seeded moments."""
    tracer, chosen = strace(), random.Random(20261122)
    folder, acknowledged = await made(tmp_path), list[str]()
    for number in range(FAULTS):
        call, error = CALLS[number % len(CALLS)], ERRORS[(number + number // len(CALLS)) % 2]
        first, ever = chosen.randrange(1, 60 if call == "pwrite64" else 6), chosen.choice(("", "+"))
        inject = f"inject={call}:error={error}:when={first}{ever}"
        paths = [
            f"--trace-path={folder / name}" for name in ("mydata.db", "mydata.db-wal", "last-signed.new")
        ]
        prefix = [tracer, "-f", "-qq", "-o", "/dev/null", *paths, "-e", f"trace={call}", "-e", inject]
        acknowledged += appended(folder, f"disk-{number}", prefix)
        await settled(folder, acknowledged, number)
    hit = [
        log for log in folder.glob("disk-*.log") if "rror" in log.read_text() or "failed" in log.read_text()
    ]

    said(capsys, told(f"EIO or ENOSPC in a write-type call ({len(hit)} felt)", FAULTS, len(acknowledged)))
    assert len(hit) * 3 >= FAULTS, "too few faults were felt"


@pytest.mark.timeout(SECONDS * 10 * (1 + FAULTS // 10))
async def test_killed_writers_lose_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SIGKILL at seeded moments between the first acknowledgement and the last."""
    chosen = random.Random(42)
    folder, acknowledged = await made(tmp_path), list[str]()
    for number in range(KILLS):
        acknowledged += appended(folder, f"kill-{number}", [], kill_after=chosen.randrange(0, 400))
        await settled(folder, acknowledged, number)
    said(capsys, told("SIGKILL of an appending writer", KILLS, len(acknowledged)))

    assert acknowledged
