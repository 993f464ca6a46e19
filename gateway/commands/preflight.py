"""What must hold before the doors open. What does not is said in one line, before anything has started."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from pathlib import Path

from consent.catalogue import load as load_catalogue
from gateway.commands.inputs import InputUnusableError
from gateway.commands.store import opened, refuse_unless_migrated
from gateway.keys.opening import open_keys
from gateway.parts import consortia_of, holder_of
from gateway.policy.bundle import load as load_policy
from gateway.registry import load_registry
from gateway.settings import Settings


async def check(settings: Settings) -> None:
    """Read keys, registry and policy, and look at the store, as starting will.

    Raises KeysError, SettingsError, PolicyError, ConsentError, Problem or InputUnusableError; nothing has
    been written by then.
    """
    await asyncio.to_thread(open_keys, settings)
    registry = load_registry(settings.registry, plain_http=settings.profile == "demo")
    consortia_of(registry)
    load_catalogue(None, *settings.catalogues)
    holder_of(registry, settings.catalogues)
    load_policy(settings.policies)
    if settings.ca is not None:
        _authority(settings.ca)
    if settings.ledger_state is not None:
        _writable(settings.ledger_state, "ledger_state")
    async with opened(settings) as database:
        await refuse_unless_migrated(database)


def check_tls(key: Path | None, certificate: Path | None) -> None:
    """Raises InputUnusableError unless both are given and belong together, or neither is given."""
    if key is None and certificate is None:
        return
    if key is None or certificate is None:
        raise InputUnusableError("--tls-key and --tls-cert go together; only one was given")
    for file in (key, certificate):
        with file.open("rb"):
            continue
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except (ssl.SSLError, ValueError) as error:
        raise InputUnusableError(
            f"{certificate}, {key}: not a PEM certificate chain and its private key (without password)"
        ) from error


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address, not listening yet. Raises InputUnusableError naming the address."""
    bound = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except (OSError, OverflowError) as error:
        if bound is not None:
            bound.close()
        why = getattr(error, "strerror", None) or str(error)
        raise InputUnusableError(f"{host} port {port}: cannot listen here: {why}") from error
    return bound


def _authority(file: Path) -> None:
    """Raises InputUnusableError unless the file holds certificates to trust."""
    with file.open("rb"):
        try:
            ssl.create_default_context(cafile=file)
        except ssl.SSLError as error:
            raise InputUnusableError(f"{file}: no PEM certificate in it (settings: ca)") from error


def _writable(folder: Path, setting: str) -> None:
    """Raises InputUnusableError unless the folder is there and this user may write to it."""
    if not folder.is_dir():
        raise InputUnusableError(f"{folder}: no such folder; make it (settings: {setting})")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputUnusableError(f"{folder}: this user may not write here (settings: {setting})")
