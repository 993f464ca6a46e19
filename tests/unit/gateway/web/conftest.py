"""A citizen's stage on each store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.database import Database
from tests.citizen_stage import CitizenStage


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[CitizenStage]:
    """The pages, with the company that asks registered."""
    made = CitizenStage(database)
    await made.register()
    yield made
    await made.close()
