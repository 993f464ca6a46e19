"""A store that cannot be reached is named as such, for readers and writers alike."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url, text

from gateway.database import Database
from gateway.errors import Problem
from tests.tables import fresh_database


@pytest.mark.parametrize("use", ["transaction", "reading"])
async def test_nobody_listens(tmp_path: Path, use: str) -> None:
    """PostgreSQL that is not there: `storage_unavailable`, never an unforeseen error."""
    database = Database(f"postgresql+asyncpg://mydata@/mydata?host={tmp_path}")
    with pytest.raises(Problem) as refused:
        async with getattr(database, use)() as session:
            await session.execute(text("SELECT 1"))
    assert refused.value.code == "storage_unavailable"
    await database.close()


@pytest.mark.parametrize("use", ["transaction", "reading"])
async def test_no_connection_is_free(tmp_path: Path, use: str) -> None:
    """Every connection taken for longer than a door waits: `storage_unavailable`."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'busy.db'}", wait_seconds=0.2)
    engine = database.engine if use == "transaction" else database._reader
    held = [await engine.connect() for _ in range(engine.pool.size())]  # type: ignore[attr-defined]
    with pytest.raises(Problem) as refused:
        async with getattr(database, use)() as session:
            await session.execute(text("SELECT 1"))
    assert refused.value.code == "storage_unavailable"
    for connection in held:
        await connection.close()
    await database.close()


async def test_a_failed_statement_does_not_show_its_values(tmp_path: Path) -> None:
    """What was bound to a statement may be personal: it is not in the error's text."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'small.db'}")
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE t (a TEXT UNIQUE)"))
        await session.execute(text("INSERT INTO t VALUES (:a)"), {"a": "홍길동"})
    with pytest.raises(Exception, match="UNIQUE") as failed:
        async with database.transaction() as session:
            await session.execute(text("INSERT INTO t VALUES (:a)"), {"a": "홍길동"})
    assert "홍길동" not in str(failed.value)
    await database.close()


@pytest.mark.postgres
@pytest.mark.parametrize("use", ["transaction", "reading"])
async def test_a_session_that_postgresql_ends_is_named(postgres_socket: str, use: str) -> None:
    """Whatever code it gives for ending one, the store was unavailable: here it lets nobody in."""
    url = await fresh_database(postgres_socket)
    name = str(make_url(url).database)
    connection = await asyncpg.connect(host=postgres_socket, user="mydata", database="postgres")
    await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    await connection.close()
    database = Database(url)
    with pytest.raises(Problem) as raised:
        async with getattr(database, use)() as session:
            await session.execute(text("SELECT 1"))
    assert raised.value.code == "storage_unavailable"
    await database.close()
