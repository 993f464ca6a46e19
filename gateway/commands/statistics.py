"""`mydata statistics week DAY`: the weekly statistics, from the records and, to compare, from the ledger."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

from consent.subjects import SubjectKeys
from gateway.commands import statistics_publish
from gateway.commands.store import opened
from gateway.keys import load_keys
from gateway.registry import load_registry
from gateway.settings import Settings, load_settings
from gateway.statistics import from_ledger, from_records, week
from gateway.statistics.facts import Facts

WEEK = """\
The statistics of the week (Sunday to Saturday, Korean days) in which DAY lies, as one JSON object: of the
operator (support API 004), or with --holder of one holder (005). A past week can be made again at any time.
With --compare they are made from the ledger, too. Exit code 1: the two differ, and both are printed.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `statistics` group."""
    group = subparsers.add_parser("statistics", help="the numbers of a past week or month")
    verbs = group.add_subparsers(metavar="VERB", required=True)
    shape = argparse.RawDescriptionHelpFormatter
    verb = verbs.add_parser("week", help="one week's numbers", description=WEEK, formatter_class=shape)
    verb.add_argument("day", type=_day, metavar="DAY", help="any day of the week (YYYY-MM-DD)")
    verb.add_argument("--holder", metavar="ID", help="of this holder only")
    verb.add_argument("--compare", action="store_true", help="make them from the ledger, too")
    verb.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    verb.set_defaults(run=_week)
    statistics_publish.register(verbs)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day (YYYY-MM-DD)") from error


def _week(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)
    registry = load_registry(settings.registry, plain_http=settings.profile == "demo")
    codes = {holder.id: holder.org_code for holder in registry.holders}
    if arguments.holder is not None and arguments.holder not in codes:
        print(f"mydata: no holder is registered as {arguments.holder}", file=sys.stderr)
        return 2
    first = week.first_of(arguments.day)

    def told(facts: Facts) -> dict[str, Any]:
        if arguments.holder is None:
            return week.of_operator(facts, first, codes)
        return week.of_holder(facts, first, arguments.holder, codes)

    records, ledger = asyncio.run(_facts(settings, *week.span(first), compare=arguments.compare))
    answer = told(records)
    if ledger is not None and told(ledger) != answer:
        print(json.dumps({"records": answer, "ledger": told(ledger)}, ensure_ascii=False, indent=2))
        return 1
    print(json.dumps(answer, ensure_ascii=False, indent=2))
    return 0


async def _facts(settings: Settings, begin: int, end: int, *, compare: bool) -> tuple[Facts, Facts | None]:
    async with opened(settings) as database, database.reading() as session:
        records = await from_records.facts(session, begin, end)
        if not compare:
            return records, None
        keys = SubjectKeys(load_keys(settings.keys).subject_kek)
        return records, await from_ledger.facts(session, keys, begin, end)
