"""`mydata ledger export DIR` writes the log to a folder; `mydata ledger verify DIR --key VKEY` checks one."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from consent.errors import ConsentError
from consent.ledger.checkpoint import vkey
from consent.ledger.verify import add_arguments, run
from consent.subjects import SubjectId, SubjectKeys
from gateway.database import Database
from gateway.errors import Problem
from gateway.keys import KeysError, load_keys
from gateway.ledger.export import export
from gateway.ledger.trail import trail
from gateway.settings import Settings, load_settings


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `ledger` group."""
    group = subparsers.add_parser("ledger", help="export and verify the consent log")
    verbs = group.add_subparsers(metavar="VERB", required=True)
    exported = verbs.add_parser("export", help="write checkpoint, tiles and entries to an empty folder")
    exported.add_argument("folder", type=Path, metavar="DIR")
    exported.add_argument("--config", type=Path, required=True, metavar="FILE")
    exported.set_defaults(run=_export)
    traced = verbs.add_parser("trail", help="write one citizen's events, opened and with proofs, to a file")
    traced.add_argument("subject", metavar="SUBJECT", help="the citizen's record id")
    traced.add_argument("--config", type=Path, required=True, metavar="FILE")
    traced.add_argument("--out", type=Path, required=True, metavar="FILE")
    traced.set_defaults(run=_trail)
    verified = verbs.add_parser(
        "verify", help="check an export or a trail offline; nothing is taken on trust"
    )
    add_arguments(verified)
    verified.set_defaults(run=run)


def _export(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)
    size = asyncio.run(_write_export(settings, arguments.folder))
    print(f"{size} entries written to {arguments.folder}")
    try:
        key = vkey(settings.ledger_origin, load_keys(settings.keys).ledger.public_key())
    except KeysError as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2
    print(f"verify with: mydata ledger verify {arguments.folder} --key {key}")
    return 0


def _trail(arguments: argparse.Namespace) -> int:
    settings = load_settings(arguments.config)
    try:
        keys = SubjectKeys(load_keys(settings.keys).subject_kek)
        data = asyncio.run(_read_trail(settings, keys, SubjectId(arguments.subject)))
    except KeysError as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2
    except ConsentError as error:
        raise Problem.of(error) from error
    arguments.out.write_bytes(data)
    return 0


async def _write_export(settings: Settings, folder: Path) -> int:
    database = Database(settings.database)
    try:
        async with database.reading() as session:
            return await export(session, folder)
    finally:
        await database.close()


async def _read_trail(settings: Settings, keys: SubjectKeys, subject: SubjectId) -> bytes:
    database = Database(settings.database)
    try:
        async with database.reading() as session:
            return await trail(session, keys, subject)
    finally:
        await database.close()
