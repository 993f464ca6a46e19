"""A world for a module of tests that leave it as they found it, and a world of its own on each store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.tables import fresh_database, with_tables
from tests.world import World, open_world


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
)
async def store_url(request: pytest.FixtureRequest) -> str | None:
    """For a world a module: its own SQLite file (None), and a PostgreSQL database with the tables."""
    if request.param == "sqlite":
        return None
    return await fresh_database(request.getfixturevalue("postgres_socket"), tables=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One world a module, on SQLite. Its tests MUST run in the module's event loop."""
    async with open_world(tmp_path_factory.mktemp("world")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="function")
async def own_url(database_url: str) -> str:
    """The address of a database of a test's own, with the tables and nothing in them, once on each store."""
    return await with_tables(database_url)


@pytest_asyncio.fixture(loop_scope="function")
async def own_world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world nobody else uses, once on SQLite and once on PostgreSQL."""
    url = await with_tables(database_url)
    async with open_world(tmp_path_factory.mktemp("own"), url) as opened:
        yield opened
