"""Databases that have the current tables: made once in each test process, copied for every test."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import asyncpg

from gateway.database import Database
from gateway.migrations.tables import metadata
from tests import postgres

SQLITE = "sqlite+aiosqlite:///"
_TEMPLATES: dict[str, str] = {}


async def fresh_database(socket: str, *, tables: bool = False) -> str:
    """Make a PostgreSQL database in the cluster at `socket`, empty or with the tables; its address."""
    template = await _postgres_template(socket) if tables else "template1"
    name = f"t_{os.getpid()}_{os.urandom(6).hex()}"
    await _create(socket, name, template)
    return postgres.url(socket, name)


async def with_tables(database_url: str) -> str:
    """The address of a database with the tables, where the fixture `database_url` says; a file stays."""
    if "|" in database_url:
        return await fresh_database(database_url.split("|")[0], tables=True)
    await asyncio.to_thread(_copy_template, Path(database_url.removeprefix(SQLITE)))
    return database_url


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
