"""A full database: every door says so, nothing is changed, and the same request works once there is room."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.oauth_stage import Stage

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def _limit(stage: Stage, pages: int) -> None:
    """Let the database file have at most `pages` pages (never fewer than it has)."""
    async with stage.database.engine.connect() as connection:
        await connection.execute(text(f"PRAGMA max_page_count={pages}"))


async def test_push_when_the_database_is_full(stage: Stage) -> None:
    """503 temporarily_unavailable with storage_full, nothing stored, and room makes it work again."""
    await _limit(stage, 1)
    for _ in range(200):
        before = await stage.state()
        full = await stage.push()
        if full.status_code != 201:
            break
    assert (full.status_code, full.json()["code"]) == (503, "storage_full")
    assert full.json()["error"] == "temporarily_unavailable"
    assert await stage.state() == before
    await _limit(stage, 1_000_000)
    assert (await stage.push()).status_code == 201


async def test_token_when_the_database_is_full(stage: Stage) -> None:
    """The code is not used up by a token that could not be stored."""
    codes = [await stage.code() for _ in range(12)]
    await _limit(stage, 1)
    for code in codes:
        before = await stage.state()
        answered = await stage.token(code)
        if answered.status_code != 200:
            break
    assert (answered.status_code, answered.json()["code"]) == (503, "storage_full")
    assert await stage.state() == before
    await _limit(stage, 1_000_000)
    assert (await stage.token(code)).status_code == 200
