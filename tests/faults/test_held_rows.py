"""A process that stands still in the middle of a transaction holds its rows: who waits, and how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import make_url
from sqlmodel import SQLModel

from gateway.database import Database
from tests.conftest import fresh_database
from tests.oauth_stage import Stage

pytestmark = pytest.mark.postgres
"""SQLite has one writer, who holds everything or nothing."""

HOLD = "SELECT id FROM subject WHERE id = $1 FOR UPDATE"


@pytest.fixture
async def stage(postgres_socket: str) -> AsyncIterator[Stage]:
    """An authorization server whose store waits a second for what others hold."""
    made = Stage(Database(await fresh_database(postgres_socket), wait_seconds=1), "https://gateway.test")
    async with made.database.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    await made.register()
    yield made
    await made.http.aclose()
    await made.database.close()


async def test_only_the_citizen_whose_row_is_held_waits(stage: Stage, postgres_socket: str) -> None:
    """Their refresh is told to come again; those of everybody else in its batch are answered."""
    held = (await stage.tokens())["refresh_token"]
    assert stage.consent is not None
    subject = stage.consent.subject
    others = [(await stage.tokens())["refresh_token"] for _ in range(5)]
    name = make_url(stage.database.url).database
    standing = await asyncpg.connect(host=postgres_socket, user="mydata", database=name)
    async with standing.transaction():
        await standing.execute(HOLD, subject)
        async with asyncio.timeout(30):
            answers = await asyncio.gather(*(stage.refresh(token) for token in (held, *others)))
    await standing.close()

    assert [answered.status_code for answered in answers] == [503, 200, 200, 200, 200, 200]
    assert answers[0].headers["retry-after"]
    assert (await stage.refresh(held)).status_code == 200


async def test_what_stands_still_is_ended_and_its_rows_are_free(stage: Stage) -> None:
    """A transaction of ours in which nothing happens any more does not hold a citizen's row for ever."""
    held = (await stage.tokens())["refresh_token"]
    assert stage.consent is not None
    other = Database(stage.database.url, wait_seconds=0.1)
    connection = await other.engine.connect()
    await connection.exec_driver_sql(HOLD, (stage.consent.subject,))

    async with asyncio.timeout(30):
        while (answered := await stage.refresh(held)).status_code != 200:
            assert answered.status_code == 503

    await connection.invalidate()
    await connection.close()
    await other.close()
