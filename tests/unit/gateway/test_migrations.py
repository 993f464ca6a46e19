"""The migrations make exactly the tables the code uses, on both stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gateway.database import Database
from gateway.migrations.apply import upgrade
from gateway.migrations.tables import metadata
from tests.tables import fresh_database


async def address(database_url: str) -> str:
    """The address of an empty database."""
    return await fresh_database(database_url.split("|")[0]) if "|" in database_url else database_url


async def test_migrations_make_the_tables_the_code_uses(database_url: str) -> None:
    """After `mydata migrate` nothing differs between the database and the tables in the code."""
    url = await address(database_url)
    assert await upgrade(url) == "0001"
    database = Database(url)

    def difference(connection: Any) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.engine.connect() as connection:
        found = await connection.run_sync(difference)
    await database.close()

    assert found == []


async def test_no_order_of_citizens_is_kept(tmp_path: Path) -> None:
    """SQLite numbers no rows of citizens: the log has their first entries in the same order."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'mydata.db'}"
    await upgrade(url)
    database = Database(url)
    async with database.engine.connect() as connection:
        await connection.execute(text("SELECT rowid FROM consent"))
        with pytest.raises(OperationalError, match="no such column: rowid"):
            await connection.execute(text("SELECT rowid FROM subject"))
    await database.close()


async def test_migrating_twice_changes_nothing(database_url: str) -> None:
    """`mydata migrate` may be repeated."""
    url = await address(database_url)

    assert await upgrade(url) == await upgrade(url)
