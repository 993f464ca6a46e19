"""`mydata client`: register, list, suspend and resume clients, and change their keys."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import orjson
import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from gateway.commands import client_changes as changes
from gateway.commands.inputs import InputUnusableError, read_bytes, read_key_set
from gateway.keys.opening import open_keys
from gateway.oauth import clients
from gateway.oauth.client_document import RESPONSE_ALGS, checked
from gateway.oauth.client_keys_refresh import follow, tell_keys
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.tls_client import PRIVATE_KEY_JWT
from gateway.settings import Settings, load_settings
from gateway.transfers.suspension import end_of_client

MAX_BYTES = 64 * 1024


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `client` group."""
    group = subparsers.add_parser("client", help="register, list and suspend clients", description=__doc__)
    verbs = group.add_subparsers(metavar="VERB", required=True)
    add = verbs.add_parser("add", help="register a client from a JSON or YAML document")
    add.add_argument(
        "file", type=Path, metavar="FILE", help="what the company registers (docs/service-company.md)"
    )
    add.set_defaults(run=_add)
    keys = verbs.add_parser("keys", help="give a client other keys, in place of those it has")
    source = keys.add_mutually_exclusive_group(required=True)
    source.add_argument("--jwks", type=Path, metavar="FILE", help="its JWK set, public keys only")
    source.add_argument("--jwks-uri", metavar="URI", help="where it publishes its JWK set (https)")
    keys.set_defaults(run=_keys)
    suspend = verbs.add_parser("suspend", help="stop a client, its tokens and transfers at once")
    suspend.set_defaults(run=_suspend)
    resume = verbs.add_parser("resume", help="lift a suspension")
    resume.set_defaults(run=_resume)
    for verb in (keys, suspend, resume):
        verb.add_argument("id", metavar="ID", help="its client_id")
    shown = verbs.add_parser("list", help="show every client and its state")
    shown.set_defaults(run=_list)
    for verb in (add, keys, suspend, resume, shown):
        verb.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")


def _add(chosen: argparse.Namespace) -> int:
    try:
        document = _read(chosen.file)
    except InputUnusableError as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2
    settings = load_settings(chosen.config)
    return changes.make(lambda: _register(settings, document))


async def _register(settings: Settings, document: dict[str, Any]) -> str:
    if "jwks" in document and "jwks_uri" in document:
        raise clients.ClientDocumentError("client_document_invalid", "jwks and jwks_uri exclude each other")
    values = checked(document)
    await changes.sector_checked(settings, values)
    fetched = await changes.fetched(settings, document.get("jwks_uri"))
    kept = document if fetched is None else {**document, "jwks": fetched.jwks}

    async def work(session: AsyncSession, of: changes.Desk) -> str:
        client = await clients.add(session, kept, at=of.now)
        await follow(session, kept, fetched, at=of.now)
        kinds = {sector: str(kind) for sector, kind in sorted(client.kinds.items())}
        await of.tell(session, Event.CLIENT_REGISTRATION_REGISTERED, client.id, {"kinds": kinds})
        return f"registered {client.id}"

    said = await changes.in_transaction(settings, work)
    able = open_keys(settings).signing.algorithms
    if lacking := sorted({values[name] for name in RESPONSE_ALGS} - set(able)):
        said += (
            f"\nbut it wants signatures by {', '.join(lacking)}: make a key with `mydata keys rotate --alg`"
        )
    return said + (NO_MTLS if _by_certificate(values) and settings.mtls_origin is None else "")


NO_MTLS = """
but it cannot come in yet: it shows a certificate and this gateway asks for none.
Set mtls_origin and trusted_proxies (docs/mutual-tls.md), then restart."""


def _by_certificate(values: dict[str, Any]) -> bool:
    method = values["token_endpoint_auth_method"]
    return method != PRIVATE_KEY_JWT or bool(values["tls_client_certificate_bound_access_tokens"])


def _keys(chosen: argparse.Namespace) -> int:
    try:
        given = read_key_set(chosen.jwks) if chosen.jwks else None
    except InputUnusableError as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2
    settings = load_settings(chosen.config)
    return changes.make(lambda: _change_keys(settings, chosen.id, given, chosen.jwks_uri))


async def _change_keys(
    settings: Settings, client_id: str, given: dict[str, Any] | None, uri: str | None
) -> str:
    fetched = await changes.fetched(settings, uri)

    async def work(session: AsyncSession, of: changes.Desk) -> str:
        document = await clients.document_of(session, client_id)
        if document is None:
            raise OAuthRefusal("client_unknown")
        document = {name: value for name, value in document.items() if name != "jwks_uri"}
        document["jwks"] = given if fetched is None else fetched.jwks
        if uri is not None:
            document["jwks_uri"] = uri
        await clients.store(session, document, at=of.now)
        await follow(session, document, fetched, at=of.now)
        await tell_keys(session, of.journal, client_id, document["jwks"], at=of.now)
        return f"{client_id} has {len(document['jwks']['keys'])} keys now; those it had before open nothing"

    return await changes.in_transaction(settings, work)


def _suspend(chosen: argparse.Namespace) -> int:
    async def work(session: AsyncSession, of: changes.Desk) -> str:
        if not await clients.suspend(session, chosen.id, at=of.now):
            raise OAuthRefusal("client_unknown")
        ended = await end_of_client(session, of.journal, chosen.id, of.now)
        await of.tell(session, Event.CLIENT_REGISTRATION_SUSPENDED, chosen.id, {})
        return f"suspended {chosen.id}: its tokens open nothing from now on; {ended} transfers ended"

    settings = load_settings(chosen.config)
    return changes.make(lambda: changes.in_transaction(settings, work))


def _resume(chosen: argparse.Namespace) -> int:
    async def work(session: AsyncSession, of: changes.Desk) -> str:
        if not await clients.resume(session, chosen.id, at=of.now):
            raise OAuthRefusal("client_unknown")
        await of.tell(session, Event.CLIENT_REGISTRATION_RESUMED, chosen.id, {})
        return f"resumed {chosen.id}: what has not ended meanwhile opens doors again"

    settings = load_settings(chosen.config)
    return changes.make(lambda: changes.in_transaction(settings, work))


def _list(chosen: argparse.Namespace) -> int:
    async def work(session: AsyncSession, _of: changes.Desk) -> str:
        found = await clients.every(session)
        lines = [f"{c.id}  {'active' if c.active else 'suspended'}  {c.name['en']}" for c in found]
        return "\n".join(lines) or "no client is registered"

    settings = load_settings(chosen.config)
    return changes.make(lambda: changes.in_transaction(settings, work))


def _read(file: Path) -> dict[str, Any]:
    data = read_bytes(file, MAX_BYTES)
    try:
        value = orjson.loads(data) if file.suffix == ".json" else yaml.safe_load(data)
    except (orjson.JSONDecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputUnusableError(f"{file}: not a JSON or YAML document") from error
    if not isinstance(value, dict):
        raise InputUnusableError(f"{file}: must be one object of member to value")
    return value
