"""A world of its own, on each store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.tables import with_tables
from tests.world import World, open_world


@pytest.fixture
async def own_world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world nobody else uses, once on SQLite and once on PostgreSQL."""
    url = await with_tables(database_url)
    async with open_world(tmp_path_factory.mktemp("own"), url) as opened:
        yield opened
