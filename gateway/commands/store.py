"""The store as a command opens it: what it lacks is said in one line, with what to do about it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from gateway.commands.inputs import InputUnusableError
from gateway.database import Database
from gateway.errors import Problem
from gateway.migrations.apply import config
from gateway.settings import Settings

NEVER = "none"
"""What stands for the revision of a database that was never migrated."""


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database of these settings, closed on leaving.

    Raises Problem `database_not_migrated` instead of a store error when that is why the store cannot answer;
    a SQLite file that is not there is not made.
    """
    refuse_if_absent(settings)
    database = Database(settings.database)
    try:
        yield database
    except (Problem, DBAPIError) as error:
        if isinstance(error, DBAPIError) or error.code == "storage_unavailable":
            await refuse_unless_migrated(database)
        raise
    finally:
        await database.close()


def refuse_if_absent(settings: Settings) -> None:
    """Raise Problem `database_not_migrated` when the database is a SQLite file that does not exist."""
    file = sqlite_file(settings)
    if file is not None and not file.exists():
        raise not_migrated(NEVER)


def make_private(settings: Settings) -> None:
    """Make the SQLite file, if that is the store and it is not there, for this user only.

    SQLite gives its -wal and -shm files the same mode. Raises InputUnusableError when it cannot be made.
    """
    file = sqlite_file(settings)
    if file is None or file.exists():
        return
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise InputUnusableError(f"{file}: this database file cannot be made: {error.strerror}") from error


def sqlite_file(settings: Settings) -> Path | None:
    """The file of a SQLite store; None for another store."""
    url = make_url(settings.database)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


async def refuse_unless_migrated(database: Database) -> None:
    """Raise Problem `database_not_migrated` unless the store has exactly this version's tables."""
    async with database.reading() as session:
        found = await (await session.connection()).run_sync(_revision)
    if found != ScriptDirectory.from_config(config()).get_current_head():
        raise not_migrated(found or NEVER)


def not_migrated(found: str) -> Problem:
    """The refusal of a store whose revision is `found`."""
    needed = ScriptDirectory.from_config(config()).get_current_head()
    return Problem("database_not_migrated", params={"found": found, "needed": needed})


def _revision(connection: Any) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
