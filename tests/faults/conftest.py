"""A world of its own, on each store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.tables import fresh_database
from tests.world import World, open_world


@pytest.fixture
async def own_world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world nobody else uses, once on SQLite and once on PostgreSQL."""
    url = await fresh_database(database_url.split("|")[0]) if "|" in database_url else database_url
    async with open_world(tmp_path_factory.mktemp("own"), url) as opened:
        yield opened
