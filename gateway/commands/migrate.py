"""`mydata migrate`: bring the database to the current tables."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from gateway.settings import load_settings


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "migrate", help="bring the database to the current tables", description=__doc__
    )
    command.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Apply what is missing; safe to repeat."""
    from gateway.migrations.apply import upgrade

    revision = asyncio.run(upgrade(load_settings(chosen.config).database))
    print(f"the database is at revision {revision}")
    return 0
