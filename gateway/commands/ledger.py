"""`mydata ledger export DIR` writes the log to a folder; `mydata ledger verify DIR --key VKEY` checks one."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

from consent import repository
from consent.errors import ConsentError
from consent.ledger.checkpoint import vkey
from consent.ledger.verify import add_arguments, run
from consent.subjects import SubjectId, SubjectKeys
from gateway.commands import (
    ledger_ask,
    ledger_census,
    ledger_index,
    ledger_remove,
    ledger_second_key,
    ledger_witness,
)
from gateway.commands.inputs import InputUnusableError, make_folder, write_private
from gateway.commands.store import opened
from gateway.errors import Problem
from gateway.keys import KeysError, load_keys
from gateway.ledger.export import LIST, PUBLIC, export, export_public
from gateway.ledger.trail import trail
from gateway.ledger.watch import read_second_key, second_vkey
from gateway.settings import Settings, load_settings

EPILOG = """\
DIR is an export (mydata ledger export). Get VKEY from a place the operator does not control today:
the onboarding papers, or your file of last time.

exit code:  0 every check held    2 the command or the key cannot be used
            any other: the first finding; docs/regulator.md says what each one means
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `ledger` group."""
    group = subparsers.add_parser("ledger", help="export, verify, witness and mirror the consent log")
    verbs = group.add_subparsers(metavar="VERB", required=True)
    exported = verbs.add_parser("export", help="write checkpoint, tiles and entries to an empty folder")
    exported.add_argument("folder", type=Path, metavar="DIR", help="empty, or made if it is not there")
    exported.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    public = "only what everybody may have, for a file server or a store of objects"
    exported.add_argument("--public", action="store_true", help=public)
    exported.set_defaults(run=_export)
    traced = verbs.add_parser("trail", help="write one citizen's events, opened and with proofs, to a file")
    traced.add_argument(
        "subject", metavar="SUBJECT", help="the citizen's record id (s-...), or a consent of theirs (c-...)"
    )
    traced.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    traced.add_argument("--out", type=Path, required=True, metavar="FILE", help="readable by you only")
    traced.set_defaults(run=_trail)
    about = "check an export or a trail offline; nothing is taken on trust"
    shape = argparse.RawDescriptionHelpFormatter
    verified = verbs.add_parser("verify", help=about, epilog=EPILOG, formatter_class=shape)
    add_arguments(verified)
    also = "also compare with the log the search index of the gateway with these settings"
    verified.add_argument("--index", type=Path, metavar="CONFIG", help=also)
    verified.set_defaults(run=_verify)
    ledger_witness.register(verbs)
    ledger_second_key.register(verbs)
    ledger_index.register(verbs)
    ledger_ask.register(verbs)
    ledger_census.register(verbs)
    ledger_remove.register(verbs)


def _export(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)
    try:
        signer = load_keys(settings.keys).ledger.public_key()
        make_folder(arguments.folder)
        size = asyncio.run(_write_export(settings, arguments.folder, public=arguments.public))
        log = arguments.folder / PUBLIC if arguments.public else arguments.folder
        origin = (log / "checkpoint").read_text(encoding="utf-8").partition("\n")[0]
    except (KeysError, InputUnusableError) as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2
    print(f"{size} entries written to {arguments.folder}")
    key = vkey(origin, signer) + _also(settings, origin)
    if arguments.public:
        key += " --hashes-only"
        print(f"serve {log}; a store of objects takes its files in the order, and as what, {LIST} says")
    print(f"verify with: mydata ledger verify {log} --key {key}")
    return 0


def _also(settings: Settings, origin: str) -> str:
    """What else a verifier must bring when others sign, too: every line of a checkpoint is checked."""
    second, policy = settings.ledger_second_key, settings.ledger_witnesses
    key = f" --key {second_vkey(origin, read_second_key(second))}" if second else ""
    return key + (f" --policy {policy}" if policy else "")


def _trail(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)
    try:
        keys = SubjectKeys(load_keys(settings.keys).subject_kek)
        data = asyncio.run(_read_trail(settings, keys, arguments.subject))
    except KeysError as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2
    except ConsentError as error:
        raise Problem.of(error) from error
    write_private(arguments.out, data)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    if arguments.place is not None and "//" not in arguments.place and not Path(arguments.place).exists():
        print(f"mydata: {arguments.place}: no such file or folder", file=sys.stderr)
        return 2
    found = run(arguments)
    if arguments.index is None:
        return found
    return found or ledger_index.compared(load_settings(arguments.index))


async def _write_export(settings: Settings, folder: Path, *, public: bool) -> int:
    now = int(time.time()) if settings.ledger_witnesses else None
    write = export_public if public else export
    async with opened(settings) as database, database.reading() as session:
        return await write(session, folder, now=now)


async def _read_trail(settings: Settings, keys: SubjectKeys, name: str) -> bytes:
    async with opened(settings) as database, database.reading() as session:
        consent = await repository.load(session, name) if name.startswith("c-") else None
        return await trail(session, keys, SubjectId(consent.subject if consent else name))
