"""`mydata client add FILE` registers a client; `suspend ID` stops one at once, `list` shows them."""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from consent.clock import utc_now
from consent.events import Event
from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.commands.inputs import InputUnusableError, read_bytes
from gateway.commands.store import opened
from gateway.errors import Problem
from gateway.keys import KeysError, load_keys
from gateway.oauth import clients
from gateway.oauth.refusals import OAuthRefusal
from gateway.settings import Settings, load_settings

MAX_BYTES = 64 * 1024
Work = Callable[[AsyncSession, Settings], Awaitable[str]]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `client` group."""
    group = subparsers.add_parser("client", help="register, list and suspend clients", description=__doc__)
    verbs = group.add_subparsers(metavar="VERB", required=True)
    add = verbs.add_parser("add", help="register a client from a JSON or YAML document")
    add.add_argument(
        "file", type=Path, metavar="FILE", help="what the company registers (docs/service-company.md)"
    )
    add.set_defaults(run=_add)
    suspend = verbs.add_parser("suspend", help="stop a client and all its tokens at once")
    suspend.add_argument("id", metavar="ID", help="its client_id")
    suspend.set_defaults(run=_suspend)
    shown = verbs.add_parser("list", help="show every client and its state")
    shown.set_defaults(run=_list)
    for verb in (add, suspend, shown):
        verb.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")


def _add(chosen: argparse.Namespace) -> int:
    try:
        document = _read(chosen.file)
    except InputUnusableError as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2

    async def work(session: AsyncSession, settings: Settings) -> str:
        now = int(utc_now().timestamp())
        client = await clients.add(session, document, at=now)
        kinds = {sector: str(kind) for sector, kind in sorted(client.kinds.items())}
        event = Event.CLIENT_REGISTRATION_REGISTERED
        payload = {"kinds": kinds}
        await _journal(settings).append(
            session, event, subject=None, party=client.id, payload=payload, at=now
        )
        return f"registered {client.id}"

    return _in_transaction(chosen.config, work)


def _suspend(chosen: argparse.Namespace) -> int:
    async def work(session: AsyncSession, settings: Settings) -> str:
        now = int(utc_now().timestamp())
        if not await clients.suspend(session, chosen.id, at=now):
            raise OAuthRefusal("client_unknown")
        event = Event.CLIENT_REGISTRATION_SUSPENDED
        await _journal(settings).append(session, event, subject=None, party=chosen.id, payload={}, at=now)
        return f"suspended {chosen.id}: its tokens open nothing from now on"

    return _in_transaction(chosen.config, work)


def _list(chosen: argparse.Namespace) -> int:
    async def work(session: AsyncSession, _settings: Settings) -> str:
        found = await clients.every(session)
        lines = [f"{c.id}  {'active' if c.active else 'suspended'}  {c.name['en']}" for c in found]
        return "\n".join(lines) or "no client is registered"

    return _in_transaction(chosen.config, work)


def _journal(settings: Settings) -> Journal:
    return Journal(SubjectKeys(load_keys(settings.keys).subject_kek), socket.gethostname())


def _in_transaction(config: Path, work: Work) -> int:
    settings = load_settings(config)

    async def run() -> str:
        async with opened(settings) as database, database.transaction() as session:
            return await work(session, settings)

    try:
        print(asyncio.run(run()))
    except clients.ClientDocumentError as error:
        raise Problem.of(error) from error
    except KeysError as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2
    return 0


def _read(file: Path) -> dict[str, Any]:
    data = read_bytes(file, MAX_BYTES)
    try:
        value = orjson.loads(data) if file.suffix == ".json" else yaml.safe_load(data)
    except (orjson.JSONDecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputUnusableError(f"{file}: not a JSON or YAML document") from error
    if not isinstance(value, dict):
        raise InputUnusableError(f"{file}: must be one object of member to value")
    return value
