"""A stage on each store, spoken to in process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.database import Database
from tests.oauth_stage import Stage


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    """An authorization server with one registered client."""
    made = Stage(database, "https://gateway.test")
    await made.register()
    yield made
    await made.http.aclose()
