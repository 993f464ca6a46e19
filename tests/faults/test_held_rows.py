"""A process that stands still in the middle of a transaction holds its rows: who waits, and how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import make_url
from sqlmodel import SQLModel

from consent import service
from consent.service import Asked
from consent.terms import to_details
from consent.text import ShownText
from gateway.database import Database
from gateway.oauth import Settlement, interactions
from tests.oauth_stage import SESSION, Stage
from tests.tables import fresh_database

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


async def test_two_citizens_settle_one_request_side_by_side(stage: Stage) -> None:
    """Both have agreed before either has committed: one grant, and the other is told it was answered."""
    interaction, ready = await stage.interaction(), asyncio.Barrier(2)

    async def agree(text: str) -> None:
        async with stage.database.transaction() as session:
            asking = await interactions.load(session, interaction, at=stage.now)
            terms = stage.terms(asking.details, asking.client)
            subject = await stage.subjects.create(session)
            asked = Asked(subject, stage.client_id, interaction, terms, ShownText(text, "1", "en"))
            consent = await service.give(session, stage.journal, asked, terms, at=stage.now)
            await ready.wait()
            details = to_details(consent.terms)
            answer = Settlement(True, SESSION, consent.id, consent.version, subject, details)
            await interactions.settle(session, interaction, answer, at=stage.now)

    async with asyncio.timeout(30):
        ends = await asyncio.gather(agree("one"), agree("two"), return_exceptions=True)

    assert sorted(getattr(end, "code", "stored") for end in ends) == ["request_answered", "stored"]
    assert [(await stage.state())[name] for name in ("consent", "oauth_grant")] == [1, 1]
