"""Processes that die and databases that come back from a backup, on real files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from consent.ledger.verify import verify
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger import export
from tests.unit.gateway.ledger.conftest import Ledger

DIES = """
import asyncio, os, sys
from sqlalchemy import event
from gateway.database import Database
from gateway.ledger.sequencer import Sequencer

database = Database(sys.argv[1])

@event.listens_for(database.engine.sync_engine, sys.argv[2])
def die(_c, _cursor, statement, *_rest):
    if statement.startswith(sys.argv[3]):
        os._exit(9)

asyncio.run(Sequencer(database).integrate())
"""


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Ledger]:
    """A ledger over the SQLite file of `folder`, closed (and so complete in one file) afterwards."""
    database = Database(f"sqlite+aiosqlite:///{folder / 'mydata.db'}")
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        yield Ledger(database, folder / "last-signed")
    finally:
        await database.close()


async def verified(ledger: Ledger, folder: Path) -> int:
    """Export and verify; the number of entries."""
    async with ledger.database.reading() as session:
        await export(session, folder)
    report = verify(folder, ledger.log.vkey)
    assert report.findings == []
    return report.size


def die_integrating(folder: Path, moment: str, statement: str) -> None:
    """Let another process integrate and be gone, without any clean-up, at a statement."""
    url = f"sqlite+aiosqlite:///{folder / 'mydata.db'}"
    command = [sys.executable, "-c", DIES, url, moment, statement]
    died = subprocess.run(command, capture_output=True, text=True, check=False)
    assert died.returncode == 9, died.stderr


def put_back(folder: Path, name: str) -> None:
    """Restore a database file as an operator would."""
    for file in folder.glob("mydata.db*"):
        file.unlink()
    shutil.copy(folder / name, folder / "mydata.db")


@pytest.mark.parametrize(
    ("moment", "statement"),
    [
        ("before_cursor_execute", "INSERT INTO ledger_entry"),
        ("after_cursor_execute", "INSERT INTO ledger_tile"),
        ("after_cursor_execute", "UPDATE ledger_head"),
        ("after_cursor_execute", "DELETE FROM ledger_outbox"),
    ],
)
async def test_a_killed_sequencer_changes_nothing(tmp_path: Path, moment: str, statement: str) -> None:
    """Whichever statement the process dies at, every promise is kept by the next one, once."""
    async with opened(tmp_path) as ledger:
        await ledger.append(5)
        await ledger.log.integrate_now()
        promised = await ledger.append(300)
    die_integrating(tmp_path, moment, statement)
    async with opened(tmp_path) as ledger:
        assert (await ledger.log.backlog()).rows == 300
        assert await ledger.log.integrate_now() == 300
        positions = [await ledger.log.wait_integrated(a.outbox_id, timeout=5) for a in promised]

        assert positions == list(range(5, 305))
        assert await verified(ledger, tmp_path / "out") == 305


async def test_a_restored_database_file_halts_the_log(tmp_path: Path) -> None:
    """An operator who copies yesterday's file back cannot sign a second history; today's file goes on."""
    async with opened(tmp_path) as ledger:
        await ledger.append(10)
        await ledger.log.integrate_now()
    shutil.copy(tmp_path / "mydata.db", tmp_path / "backup.db")
    async with opened(tmp_path) as ledger:
        await ledger.append(10)
        await ledger.log.integrate_now()
    shutil.move(tmp_path / "mydata.db", tmp_path / "today.db")
    put_back(tmp_path, "backup.db")
    async with opened(tmp_path) as ledger:
        await ledger.append(10)
        with pytest.raises(Problem, match="ledger_halted"):
            await ledger.log.integrate_now()
        assert (await ledger.log.backlog()).rows == 10
    put_back(tmp_path, "today.db")
    async with opened(tmp_path) as ledger:
        await ledger.append(1)

        assert await ledger.log.integrate_now() == 1
        assert await verified(ledger, tmp_path / "out") == 21
