"""`mydata ledger remove` takes entries whose retention is over out of the database; the log names the gap."""

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
from gateway.ledger.removing import remove
from gateway.settings import Settings, load_settings


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `remove` to the ledger's verbs."""
    made = verbs.add_parser("remove", help="remove entries whose retention is over; hashes and proofs stay")
    made.add_argument("end", type=int, metavar="END", help="entries before this position: a multiple of 256")
    made.add_argument("--reason", required=True, help="the duty that ended; stands in the log for everybody")
    made.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    made.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)
    keys = SubjectKeys(load_keys(settings.keys).subject_kek)
    journal = Journal(keys, f"{socket.gethostname()}-{os.getpid()}")
    first, end, _ = asyncio.run(_remove(settings, journal, arguments.end, arguments.reason))
    print(f"entries {first} to {end - 1} removed; the next checkpoint says so")
    return 0


async def _remove(settings: Settings, journal: Journal, end: int, reason: str) -> tuple[int, int, int]:
    async with opened(settings) as database:
        return await remove(database, journal, end, reason=reason, at=int(time.time()))
