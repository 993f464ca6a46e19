"""`mydata policy signer | build | approve | activate | list`: a policy's way into force, with four eyes."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from consent.clock import utc_now
from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.commands.inputs import InputUnusableError, write_private
from gateway.commands.store import opened
from gateway.keys import load_keys
from gateway.policy import lifecycle, revisions
from gateway.policy.bundle import load
from gateway.policy.canary import try_out
from gateway.policy.checking import check
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.errors import ApprovalRefused
from gateway.policy.signatures import Signers, new_private, read_private, read_signers
from gateway.policy.tables import PolicyBundleRow
from gateway.registry import load_registry
from gateway.settings import Settings, load_settings

Work = Callable[[AsyncSession, Settings, Signers, int], Awaitable[str]]


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs to the `policy` group."""
    signer = verbs.add_parser("signer", help="make the key of somebody who builds or approves policies")
    signer.add_argument("name", metavar="NAME", help="a-z, 0-9, dot, hyphen")
    signer.add_argument("--out", type=Path, required=True, metavar="PEM", help="the private key, yours only")
    signer.set_defaults(act=_signer)

    config = argparse.ArgumentParser(add_help=False)
    config.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    signed = argparse.ArgumentParser(add_help=False)
    signed.add_argument("--as", dest="name", required=True, metavar="NAME", help="who you are")
    signed.add_argument("--key", type=Path, required=True, metavar="PEM", help="your private key")

    built = verbs.add_parser("build", parents=[config, signed], help="check, sign and keep a policy folder")
    built.add_argument("folder", type=Path, metavar="DIR", help="the policy folder")
    built.add_argument("--opa", type=Path, metavar="FILE", help="the OPA that checks it (default: on PATH)")
    built.set_defaults(act=_build)
    approved = verbs.add_parser("approve", parents=[config, signed], help="sign a built policy, as another")
    approved.add_argument("revision", metavar="REVISION", help="or its beginning")
    approved.set_defaults(act=_approve)
    activated = verbs.add_parser("activate", parents=[config], help="put an approved policy in force")
    activated.add_argument("revision", metavar="REVISION", help="or its beginning")
    activated.add_argument("--as", dest="name", required=True, metavar="NAME", help="who you are")
    activated.set_defaults(act=_activate)
    listed = verbs.add_parser("list", parents=[config], help="every policy kept, and which is in force")
    listed.set_defaults(act=_list)


def _signer(arguments: argparse.Namespace) -> int:
    private, public = new_private()
    if arguments.out.exists():
        raise InputUnusableError(f"{arguments.out}: is there already; nothing was overwritten")
    write_private(arguments.out, private)
    print(f"{arguments.name}: {public}")
    return 0


def _build(arguments: argparse.Namespace) -> int:
    bundle, key = load(arguments.folder), read_private(arguments.key)
    opa = arguments.opa or shutil.which("opa")
    if opa is None:
        raise InputUnusableError("no opa on PATH to check the policy with; name one with --opa")
    checked_by = check(Path(opa), arguments.folder)
    asked = asyncio.run(try_out(EmbeddedEngine(bundle), bundle))

    async def work(session: AsyncSession, _settings: Settings, signers: Signers, now: int) -> str:
        await lifecycle.build(
            session, bundle, signers, by=arguments.name, key=key, checked_by=checked_by, at=now
        )
        return f"built {bundle.revision}: checked by {checked_by}, {asked} promises kept"

    return _in_transaction(arguments.config, work)


def _approve(arguments: argparse.Namespace) -> int:
    key = read_private(arguments.key)

    async def work(session: AsyncSession, _settings: Settings, signers: Signers, now: int) -> str:
        row = await _row(session, arguments.revision)
        await lifecycle.approve(session, row, signers, by=arguments.name, key=key, at=now)
        return f"approved {row.revision}, built by {row.built_by}"

    return _in_transaction(arguments.config, work)


def _activate(arguments: argparse.Namespace) -> int:
    async def work(session: AsyncSession, settings: Settings, signers: Signers, now: int) -> str:
        row = await _row(session, arguments.revision)
        journal = Journal(SubjectKeys(load_keys(settings.keys).subject_kek), socket.gethostname())
        registry = load_registry(settings.registry, plain_http=settings.profile == "demo")
        await lifecycle.activate(
            session, journal, row, signers, by=arguments.name, party=registry.operator.code, at=now
        )
        return f"activated {row.revision}: every gateway takes it over in a few seconds; see /readyz"

    return _in_transaction(arguments.config, work)


def _list(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)

    async def read() -> str:
        async with opened(settings) as database, database.reading() as session:
            in_force = await revisions.active(session)
            rows = await revisions.all_rows(session)
            return "\n".join(_line(row, in_force) for row in rows) or "no policy is kept yet"

    print(asyncio.run(read()))
    return 0


def _line(row: PolicyBundleRow, in_force: str | None) -> str:
    day = datetime.fromtimestamp(row.built_at, UTC).date().isoformat()
    approval = f"approved by {row.approved_by}" if row.approved_by else "not approved"
    state = "IN FORCE" if row.revision == in_force else ""
    how = "shipped with the code" if row.built_signature is None else f"built by {row.built_by}, {approval}"
    return f"{row.revision}  {day}  {how}  {state}".rstrip()


async def _row(session: AsyncSession, revision: str) -> PolicyBundleRow:
    row = await revisions.find(session, revision)
    if row is None:
        raise ApprovalRefused(f"no one kept policy has a revision {revision}")
    return row


def _in_transaction(config: Path, work: Work) -> int:
    settings = load_settings(config)
    if settings.policy_signers is None:
        raise ApprovalRefused("the settings name no policy_signers")
    signers = read_signers(settings.policy_signers)

    async def run() -> str:
        async with opened(settings) as database, database.transaction() as session:
            return await work(session, settings, signers, int(utc_now().timestamp()))

    print(asyncio.run(run()))
    return 0
