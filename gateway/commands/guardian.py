"""`mydata guardian`: link a guardian to a child whose family papers you have seen, and undo it."""

from __future__ import annotations

import argparse
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from consent.calendar import parse_date
from consent.subjects import SubjectId
from gateway.commands import client_changes as changes
from gateway.commands.inputs import InputUnusableError
from gateway.errors import Problem
from gateway.registry import load_registry
from gateway.security import guardians
from gateway.settings import Settings, load_settings


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `guardian` group."""
    about = "link guardians to children under 14"
    group = subparsers.add_parser("guardian", help=about, description=__doc__)
    verbs = group.add_subparsers(metavar="VERB", required=True)
    link = verbs.add_parser("link", help="after you have seen proof that they are family")
    link.add_argument("--child", required=True, metavar="NUMBER", help="the child's number, from its page")
    link.add_argument("--guardian", required=True, metavar="NUMBER", help="the guardian's number")
    link.add_argument("--until", required=True, metavar="DAY", help="the child's 14th birthday (YYYY-MM-DD)")
    link.add_argument("--called", required=True, metavar="NAME", help="what the guardian calls the child")
    link.set_defaults(run=_link)
    unlink = verbs.add_parser("unlink", help="end a link before its time")
    unlink.add_argument("id", metavar="ID", help="the link's id, as `link` printed it")
    unlink.set_defaults(run=_unlink)
    for verb in (link, unlink):
        verb.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")


def _link(chosen: argparse.Namespace) -> int:
    settings = load_settings(chosen.config)
    try:
        birthday = parse_date(chosen.until)
    except ValueError as error:
        raise InputUnusableError("--until: a day is written YYYY-MM-DD") from error
    if not 1 <= len(chosen.called) <= 40 or not chosen.called.isprintable():
        raise InputUnusableError("--called: 1 to 40 printable characters")

    async def work(session: AsyncSession, of: changes.Desk) -> str:
        made = await guardians.link(
            session,
            of.journal,
            SubjectId(chosen.child),
            SubjectId(chosen.guardian),
            birthday=birthday,
            called=chosen.called,
            party=_party(settings),
            at=of.now,
        )
        return f"{made.id}: linked until {birthday}"

    return changes.make(lambda: changes.in_transaction(settings, work))


def _unlink(chosen: argparse.Namespace) -> int:
    settings = load_settings(chosen.config)

    async def work(session: AsyncSession, of: changes.Desk) -> str:
        if await guardians.unlink(session, chosen.id, at=of.now) is None:
            raise Problem("mandate_unknown")
        return f"{chosen.id}: ended"

    return changes.make(lambda: changes.in_transaction(settings, work))


def _party(settings: Settings) -> str:
    registry = load_registry(settings.registry, plain_http=settings.profile == "demo")
    return registry.operator.code
