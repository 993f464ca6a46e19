"""`mydata policy replay ID`, `mydata policy what-if`: past decisions again, on their policy or another."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from consent.calendar import day_begins, day_ends, korean_day
from consent.subjects import SubjectKeys
from gateway.commands.store import opened
from gateway.keys import load_keys
from gateway.policy import record
from gateway.policy.bundle import load
from gateway.policy.replay import Outcome, Replayed, replay
from gateway.policy.whatif import what_if
from gateway.settings import Settings, load_settings

REPLAY = """\
Make a past decision again, on the revision of the policy it was made on. Exit code 0: the same bytes;
3: the citizen's key is gone, so nobody can tell any more what was asked; 4: no engine had decided then;
1: anything else (different, revision_missing, changed), which a regulator should hear about.
"""

WHAT_IF = """\
Run another policy on the questions of a window and count what it would have decided otherwise, by sector and
reason. Counts below five are not told. Nothing is changed.
"""

_CODES = {Outcome.EQUAL: 0, Outcome.ERASED: 3, Outcome.NOT_DECIDED: 4}


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the two verbs to the `policy` group."""
    shape = argparse.RawDescriptionHelpFormatter
    again = verbs.add_parser(
        "replay",
        help="make a past decision again on its own revision",
        description=REPLAY,
        formatter_class=shape,
    )
    again.add_argument("decision", metavar="ID", help="the id of the decision")
    again.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    again.set_defaults(act=_replay)
    other = verbs.add_parser(
        "what-if",
        help="which past decisions another policy would change",
        description=WHAT_IF,
        formatter_class=shape,
    )
    other.add_argument("--candidate", type=Path, required=True, metavar="DIR", help="its policy folder")
    other.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    other.add_argument("--from", dest="begin", type=_day, metavar="DAY", help="first day (default: 30 ago)")
    other.add_argument("--to", dest="end", type=_day, metavar="DAY", help="last day (default: today)")
    other.set_defaults(act=_what_if)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day (YYYY-MM-DD)") from error


def _replay(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)
    done = asyncio.run(_again(settings, arguments.decision))
    if done is None:
        print(f"mydata: no decision has the id {arguments.decision}", file=sys.stderr)
        return 2
    row, again = done.row, done.again
    told: dict[str, Any] = {
        "decision": row.id,
        "outcome": done.outcome.value,
        "revision": row.revision,
        "engine": row.engine,
        "recorded": json.loads(record.canonical_of(row)),
    }
    if again is not None:
        told |= {"again_engine": again.engine, "again": json.loads(again.canonical())}
    print(json.dumps(told, ensure_ascii=False, indent=2))
    return _CODES.get(done.outcome, 1)


async def _again(settings: Settings, decision: str) -> Replayed | None:
    keys = SubjectKeys(load_keys(settings.keys).subject_kek)
    async with opened(settings) as database, database.reading() as session:
        row = await record.find(session, decision)
        return None if row is None else await replay(session, keys, row)


def _what_if(arguments: argparse.Namespace) -> int:
    today = korean_day(datetime.now(UTC))
    begin = arguments.begin or today - timedelta(days=30)
    end = arguments.end or today
    settings, candidate = load_settings(arguments.config), load(arguments.candidate)

    async def run() -> dict[str, Any]:
        keys = SubjectKeys(load_keys(settings.keys).subject_kek)
        async with opened(settings) as database:
            account = await what_if(database, keys, candidate, day_begins(begin), day_ends(end))
            return account.report()

    print(json.dumps(asyncio.run(run()), ensure_ascii=False, indent=2))
    return 0
