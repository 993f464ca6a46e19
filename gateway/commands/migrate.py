"""`mydata migrate`: bring the database to the current tables."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from gateway.commands.inputs import InputUnusableError
from gateway.commands.store import make_private
from gateway.errors import Problem
from gateway.settings import load_settings

DESCRIPTION = """\
Bring the database to the tables of this version: makes them in an empty database, changes what an older
version made, does nothing when all is there. Run it before the first start and after every update.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "migrate", help="bring the database to the current tables", description=DESCRIPTION
    )
    command.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Apply what is missing; safe to repeat."""
    from gateway.migrations.apply import upgrade

    settings = load_settings(chosen.config)
    make_private(settings)
    try:
        revision = asyncio.run(upgrade(settings.database))
    except CommandError as error:
        raise InputUnusableError(
            f"the database was made by another version of the gateway: {error}"
        ) from error
    except (DBAPIError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        raise Problem("storage_unavailable", detail=str(cause).partition("\n")[0]) from error
    print(f"the database is at revision {revision}")
    return 0
