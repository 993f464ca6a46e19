"""Run the migrations in process, on either store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from gateway.database import Database


def config() -> Config:
    """Alembic's configuration without an ini file."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "os")
    return made


async def upgrade(url: str) -> str:
    """Bring the database at `url` to the newest revision and give its name."""
    database = Database(url)
    try:
        async with database.engine.begin() as connection:
            return await connection.run_sync(_upgrade)
    finally:
        await database.close()


def _upgrade(connection: Any) -> str:
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
    return str(MigrationContext.configure(connection).get_current_revision())
