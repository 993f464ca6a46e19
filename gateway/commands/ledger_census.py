"""`mydata ledger census` counts everybody's events and enters root and total; run it by a timer."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import time
from pathlib import Path

from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.commands.store import opened
from gateway.keys import load_keys
from gateway.ledger.census import Taken, take
from gateway.settings import Settings, load_settings


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `census` to the ledger's verbs."""
    made = verbs.add_parser("census", help="count everybody's events, so that a trail can be shown complete")
    made.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    made.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)
    journal = Journal(
        SubjectKeys(load_keys(settings.keys).subject_kek), f"{socket.gethostname()}-{os.getpid()}"
    )
    taken = asyncio.run(_take(settings, journal))
    print(f"{taken.census.root[1]} events of citizens among the first {taken.size} entries")
    return 0


async def _take(settings: Settings, journal: Journal) -> Taken:
    async with opened(settings) as database:
        return await take(database, journal, at=int(time.time()))
