"""Reads what an operator decided about witnesses and the second key, and puts it to work on a log."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from consent.clock import Clock
from consent.ledger.cosignature import cosigner_vkey
from consent.ledger.verify import Finding, Policy
from consent.ledger.verify.note import Head, Key
from gateway.keys import KeysError
from gateway.keys.custody import read_private
from gateway.ledger.log import Log
from gateway.ledger.witnessing import Witnessing, poster
from gateway.settings import SettingsError
from gateway.telemetry import Metrics


def read_policy(file: Path, vkey: str, *, plain_http: bool) -> Policy:
    """The witnesses of the log `vkey` (C2SP tlog-policy); raises SettingsError naming what is unsafe."""
    try:
        policy = Policy.read(file.read_bytes())
    except (OSError, Finding) as error:
        raise SettingsError([f"MYDATA.L001 {file}: cannot be read: {error}"]) from error
    found = []
    for name, url in policy.urls.items():
        parts = urlsplit(url)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        plain = parts.scheme == "http" and plain_http and local
        if not parts.hostname or (parts.scheme != "https" and not plain):
            found.append(f"MYDATA.L002 witness {name}: {url} must be https outside the demo profile")
        if parts.query or parts.fragment or parts.username or url.endswith("/"):
            found.append(f"MYDATA.L003 witness {name}: {url} must have no query and no trailing slash")
    if policy.logs and all(key.raw[-32:] != _raw(vkey) for key in policy.logs):
        found.append(f"MYDATA.L004 {file}: its log lines do not name this log, {vkey}")
    if not _reachable(policy):
        found.append(f"MYDATA.L005 {file}: the quorum cannot be met by witnesses that have an address")
    if found:
        raise SettingsError(found)
    return policy


def read_second_key(file: Path) -> MLDSA44PrivateKey:
    """The log's ML-DSA-44 key (PKCS #8 PEM), in a file for its owner only; raises SettingsError."""
    try:
        key = serialization.load_pem_private_key(read_private(file), None)
    except KeysError as error:
        raise SettingsError([f"MYDATA.L006 {error}"]) from error
    except (ValueError, TypeError) as error:
        raise SettingsError([f"MYDATA.L006 {file}: cannot be read: {type(error).__name__}"]) from error
    if not isinstance(key, MLDSA44PrivateKey):
        raise SettingsError([f"MYDATA.L006 {file}: not an ML-DSA-44 key"])
    return key


def second_vkey(origin: str, key: MLDSA44PrivateKey) -> str:
    """The text by which others check the second signature."""
    return cosigner_vkey(origin, key.public_key())


def witnessing(
    log: Log, file: Path, client: httpx.AsyncClient, metrics: Metrics, clock: Clock, *, plain_http: bool
) -> Witnessing:
    """The witnesses of `file`, asked over `client`."""
    policy = read_policy(file, log.vkey, plain_http=plain_http)
    return Witnessing(log.database, log.vkey, policy, poster(client, policy), clock, metrics)


def _raw(vkey: str) -> bytes:
    return Key(vkey).raw


def _reachable(policy: Policy) -> bool:
    keys = [policy.witnesses[name] for name in policy.urls]
    return policy.met(Head("", 0, b"", "", {(key.name, key.id): 1 for key in keys}))
