"""`mydata records`: those of a period for a regulator, all for a successor; and that the gateway ends."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import socket
from dataclasses import asdict
from datetime import date
from pathlib import Path

from consent.calendar import day_begins, day_ends, korean_day_of, parse_date
from consent.clock import utc_now
from consent.events import Event
from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.commands.inputs import InputUnusableError, make_folder, read_key_set, write_private
from gateway.commands.store import opened
from gateway.database import Database
from gateway.disclosure.ending import Announcement, announce
from gateway.disclosure.folder import Folder, check
from gateway.disclosure.letters import letters
from gateway.disclosure.period import Demand, period
from gateway.disclosure.takeover import takeover
from gateway.keys.opening import open_keys
from gateway.oauth import clients
from gateway.registry import Registry, load_registry
from gateway.settings import Settings, load_settings

_VERBS = (
    ("period", "the transfers and consents of a period, for a regulator that demands them", "_period"),
    ("takeover", "everything whoever takes over this gateway needs", "_takeover"),
    ("ending", "say, six months before, that this gateway ends: to citizens, companies, holders", "_ending"),
)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `records` group."""
    group = subparsers.add_parser(
        "records", help="hand records to a regulator or a successor", description=__doc__
    )
    verbs = group.add_subparsers(metavar="VERB", required=True)
    for name, said, run in _VERBS:
        verb = verbs.add_parser(name, help=said, description=f"{said}; it is entered into the ledger first.")
        if name == "ending":
            verb.add_argument("day", type=_day, metavar="DAY", help="its last day (YYYY-MM-DD)")
        verb.add_argument("folder", type=Path, metavar="DIR", help="empty, or made if it is not there")
        verb.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
        if name == "period":
            verb.add_argument("--since", type=_day, required=True, metavar="DAY", help="the first day")
            verb.add_argument("--until", type=_day, required=True, metavar="DAY", help="the last day")
        if name != "ending":
            verb.add_argument("--to", type=_word, required=True, metavar="NAME", help="who gets them")
            verb.add_argument("--case", type=_word, required=True, metavar="WORDS", help="on what occasion")
        verb.set_defaults(run=globals()[run])
    checked = verbs.add_parser("check", help="whether a folder is whole and as it was signed")
    checked.add_argument("folder", type=Path, metavar="DIR")
    checked.add_argument("--issuer-keys", type=Path, required=True, metavar="FILE", help="the JWK set")
    checked.set_defaults(run=_check)


def _day(text: str) -> date:
    try:
        return parse_date(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day (YYYY-MM-DD)") from error


def _word(text: str) -> str:
    if not 1 <= len(text) <= 100 or not text.isprintable():
        raise argparse.ArgumentTypeError("1 to 100 printable characters")
    return text


class _Desk:
    """What every verb needs: settings, keys, who takes part, the moment."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.settings: Settings = load_settings(chosen.config)
        self.keys = open_keys(self.settings)
        self.journal = Journal(SubjectKeys(self.keys.subject_kek), socket.gethostname())
        self.registry: Registry = load_registry(
            self.settings.registry, plain_http=self.settings.profile == "demo"
        )
        self.now = int(utc_now().timestamp())

    async def enter(self, database: Database, kind: Event, payload: dict[str, object]) -> None:
        """Say that records are about to leave, before any does."""
        party = self.registry.operator.code
        async with database.transaction() as session:
            await self.journal.append(session, kind, subject=None, party=party, payload=payload, at=self.now)


def _period(chosen: argparse.Namespace) -> int:
    desk = _Desk(chosen)
    if chosen.until < chosen.since:
        raise InputUnusableError("--until: before --since")
    demand = Demand(chosen.to, chosen.case, day_begins(chosen.since), day_ends(chosen.until))

    async def work() -> int:
        async with opened(desk.settings) as database:
            Folder(chosen.folder)
            said: dict[str, object] = asdict(demand)
            await desk.enter(database, Event.RECORDS_PERIOD_DISCLOSED, said)
            async with database.reading() as session:
                made = await period(
                    session, chosen.folder, demand,
                    issuer=desk.settings.issuer, at=desk.now, sign=desk.keys.signing.sign,
                )  # fmt: skip
        return len(made["files"])

    print(f"{asyncio.run(work())} files written to {chosen.folder}, listed and signed in manifest.jws")
    return 0


def _takeover(chosen: argparse.Namespace) -> int:
    desk = _Desk(chosen)

    async def work() -> int:
        witnessed = desk.now if desk.settings.ledger_witnesses else None
        async with opened(desk.settings) as database:
            Folder(chosen.folder)
            said: dict[str, object] = {"to": chosen.to, "case": chosen.case}
            await desk.enter(database, Event.RECORDS_TAKEOVER_DISCLOSED, said)
            async with database.reading() as session:
                made = await takeover(
                    session, chosen.folder, issuer=desk.settings.issuer, at=desk.now,
                    sign=desk.keys.signing.sign, cosigned_at=witnessed,
                )  # fmt: skip
        return len(made["files"])

    print(f"{asyncio.run(work())} files written to {chosen.folder}, listed and signed in manifest.jws")
    return 0


def _ending(chosen: argparse.Namespace) -> int:
    desk = _Desk(chosen)

    async def work() -> tuple[int, int]:
        async with opened(desk.settings) as database:
            async with database.reading() as session:
                companies = [one.id for one in await clients.every(session)]
            written = letters(desk.registry, companies, chosen.day, korean_day_of(desk.now))
            said = Announcement(desk.registry.operator.code, chosen.day, desk.now)
            hashes = {to: hashlib.sha256(text.encode()).hexdigest() for to, text in written.items()}
            told = await announce(database, desk.journal, said, hashes)
        make_folder(chosen.folder)
        for to, text in written.items():
            write_private(chosen.folder / f"{to}.txt", text.encode())
        return told, len(written)

    told, sent = asyncio.run(work())
    print(f"announced for {chosen.day}: {told} citizens told, {sent} letters in {chosen.folder} to be sent")
    return 0


def _check(chosen: argparse.Namespace) -> int:
    made = check(chosen.folder, read_key_set(chosen.issuer_keys))
    print(f"{made['schema']} of {made['issuer']}: {len(made['files'])} files as signed, nothing missing")
    return 0
