"""`mydata ledger index` compares the search index with the log, or builds it again; it is nobody's proof."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from gateway.commands.store import opened
from gateway.ledger import index
from gateway.settings import Settings, load_settings

DIFFERS = 1
SHOWN = 20


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `index` to the ledger's verbs."""
    made = verbs.add_parser("index", help="compare the search index with the log (exit code 1: it differs)")
    made.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    made.add_argument("--rebuild", action="store_true", help="forget it and build it again from the log")
    made.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)
    if arguments.rebuild:
        print(f"{asyncio.run(_rebuild(settings))} entries indexed")
        return 0
    return compared(settings)


def compared(settings: Settings) -> int:
    """Print where index and log differ; the exit code."""
    wrong, size = asyncio.run(_compare(settings))
    for position in wrong[:SHOWN]:
        print(f"FOUND index_mismatch  entry {position}")
    print(f"{len(wrong)} of {size} entries differ" if wrong else f"OK    {size} entries, the index agrees")
    return DIFFERS if wrong else 0


async def _compare(settings: Settings) -> tuple[list[int], int]:
    wrong: list[int] = []
    async with opened(settings) as database, database.reading() as session:
        start, end = -1, 0
        while end != start:
            start = end
            found, end = await index.differences(session, start)
            wrong += found
    return wrong, end


async def _rebuild(settings: Settings) -> int:
    async with opened(settings) as database, database.transaction() as session:
        await index.clear(session)
        while await index.catch_up(session):
            pass
        return await index.indexed(session)
