"""`mydata consent revoke|invalidate ID --why WORD`: the operator ends a consent; the citizen is shown why."""

from __future__ import annotations

import argparse
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from consent import endings, repository
from consent.endings import OPERATOR_WHYS, Patience
from consent.records import By, Move
from gateway.commands import client_changes as changes
from gateway.errors import Problem
from gateway.settings import load_settings
from gateway.transfers import repository as transfers
from gateway.transfers.job import ended_as
from gateway.transfers.notices import tell_holders

_MOVES = {"revoke": Move.REVOKE, "invalidate": Move.INVALIDATE}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `consent` with its commands."""
    group = subparsers.add_parser("consent", help="end a consent on behalf of the operator")
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, said in (
        ("revoke", "end a consent that held until now"),
        ("invalidate", "end a consent that should never have held"),
    ):
        one = commands.add_parser(name, help=said, description=f"{said}; nothing flows from that moment on.")
        one.add_argument("id", help="the consent, c-...")
        one.add_argument(
            "--why", required=True, choices=sorted(OPERATOR_WHYS), help="the reason, a stable word"
        )
        one.add_argument("--config", type=Path, default=None, help="the gateway's settings")
        one.set_defaults(run=_end, step=_MOVES[name])


def _end(chosen: argparse.Namespace) -> int:
    settings, step = load_settings(chosen.config), chosen.step
    patience = Patience.of_days(
        settings.holder_answer_days, settings.recipient_answer_days, settings.deletion_answer_days
    )

    async def work(session: AsyncSession, of: changes.Desk) -> str:
        before = await repository.load(session, chosen.id, lock=True)
        if before is None:
            raise Problem("consent_not_found")
        if before.ended:
            return f"{before.id} had ended before: {before.state.value}. Nothing was changed"
        after = await endings.end_by(
            session, of.journal, before, step, by=By.OPERATOR, why=chosen.why, at=of.now
        )
        await endings.tell_parties(session, after, patience, of.now)
        await tell_holders(session, after, "withdrawn", of.now)
        ended = await transfers.cancel_of_consent(session, after.id, of.now, ended_as(after.state))
        return f"{after.id} is {after.state.value}: its tokens open nothing now; {len(ended)} transfers ended"

    return changes.make(lambda: changes.in_transaction(settings, work))
