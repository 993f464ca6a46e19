"""Databases with the current tables: made once in each test process, copied, lent to a test at a time."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import tempfile
from collections import defaultdict
from functools import cache
from pathlib import Path

import asyncpg

from gateway.database import Database
from gateway.migrations.tables import metadata
from tests import postgres

SQLITE = "sqlite+aiosqlite:///"
_TEMPLATES: dict[str, str] = {}
_LENT: list[tuple[str, str]] = []
"""(socket, name) of the PostgreSQL databases the running test has."""
_RETURNED: defaultdict[str, list[str]] = defaultdict(list)
"""By socket, the names of those earlier tests had: what they wrote is still in them."""
_EMPTY = ";".join(
    (
        "SET session_replication_role = replica",
        *(str(table.delete()) for table in metadata.sorted_tables),
        "SELECT setval(seqrelid, seqstart, false) FROM pg_sequence",
    )
)
_OTHERS = """
SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"


async def fresh_database(socket: str, *, tables: bool = False) -> str:
    """Make a PostgreSQL database in the cluster at `socket`, empty or with the tables; its address."""
    template = await _postgres_template(socket) if tables else "template1"
    name = f"t_{os.getpid()}_{os.urandom(6).hex()}"
    await _create(socket, name, template)
    return postgres.url(socket, name)


async def with_tables(database_url: str) -> str:
    """The address of a database with the tables, where the fixture `database_url` says; a file stays.

    A PostgreSQL database is the test's own until it ends (`return_databases`); emptying one that has been
    used takes a tenth of making one.
    """
    if "|" in database_url:
        return await _borrowed(database_url.split("|")[0])
    await asyncio.to_thread(_copy_template, Path(database_url.removeprefix(SQLITE)))
    return database_url


def return_databases() -> None:
    """The test ended: what it borrowed may go to another one."""
    for socket, name in _LENT:
        _RETURNED[socket].append(name)
    _LENT.clear()


async def _borrowed(socket: str) -> str:
    while _RETURNED[socket]:
        name = _RETURNED[socket].pop()
        if await _emptied(socket, name):
            _LENT.append((socket, name))
            return postgres.url(socket, name)
    address = await fresh_database(socket, tables=True)
    _LENT.append((socket, address.partition("@/")[2].partition("?")[0]))
    return address


async def _emptied(socket: str, name: str) -> bool:
    """Empty the database and end whoever is still at it; False if a test left other tables in it."""
    connection = await asyncpg.connect(host=socket, user="mydata", database=name)
    try:
        await connection.execute(_OTHERS)
        if {row["relname"] for row in await connection.fetch(_TABLES)} != set(metadata.tables):
            return False
        await connection.execute(_EMPTY)
    finally:
        await connection.close()
    return True


def _copy_template(file: Path) -> None:
    if not file.exists():
        shutil.copyfile(_sqlite_template(), file)


async def _postgres_template(socket: str) -> str:
    if socket not in _TEMPLATES:
        name = f"tables_{os.getpid()}_{os.urandom(6).hex()}"
        await _create(socket, name, "template1")
        await _make(postgres.url(socket, name))
        _TEMPLATES[socket] = name
    return _TEMPLATES[socket]


async def _create(socket: str, name: str, template: str) -> None:
    connection = await asyncpg.connect(host=socket, user="mydata", database="postgres")
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        await connection.close()


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mydata-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    asyncio.run(_make(f"{SQLITE}{folder / 'mydata.db'}"))
    return folder / "mydata.db"


async def _make(url: str) -> None:
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await database.close()
