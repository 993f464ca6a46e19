"""What the sandbox identity provider is told: its clients, the holders, and which people exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import yaml
from joserfc.jwk import ECKey

from connectors.sandbox.people import Citizen, people


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A relying party: exact redirect addresses and its public keys. `code` is its operator code (azp)."""

    client_id: str
    redirect_uris: tuple[str, ...]
    jwks: dict[str, Any]
    code: str = "mydata-gateway"


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """PEM files of the server's certificate and key."""

    certificate: str
    key: str


class IdentityFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The configuration file (JSON or YAML).

    `seed`, `today` and `count` say which people exist, as for the holders; their lives end the day before
    `today`. `key`: a PEM file of a P-256 key; without it a new key.
    """

    clients: tuple[Client, ...]
    holders: tuple[str, ...]
    seed: int
    today: date
    count: int = 12
    key: str | None = None
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class IdentityConfig:
    """Everything the provider needs while it runs. `now` gives epoch seconds, `token` an unguessable text."""

    issuer: str
    clients: Mapping[str, Client]
    holders: frozenset[str]
    people: Mapping[str, Citizen]
    today: date
    key: ECKey
    pairwise_secret: bytes
    now: Callable[[], int]
    token: Callable[[], str]


def read_file(file: Path) -> IdentityFile:
    """Read the configuration; raises ValueError with one sentence."""
    try:
        return msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), IdentityFile)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ValueError(f"{file}: cannot be read: {str(error).splitlines()[0]}") from error


def signing_key(file: str | None) -> ECKey:
    """The P-256 key in a PEM file, or a new one; its id is its thumbprint (RFC 7638)."""
    key = ECKey.import_key(Path(file).read_bytes()) if file else ECKey.generate_key("P-256")
    named = {**key.as_dict(private=True), "kid": key.thumbprint(), "use": "sig", "alg": "ES256"}
    return ECKey.import_key(named)


def roll(given: IdentityFile) -> dict[str, Citizen]:
    """These people by their handle."""
    return {person.handle: person for person in people(given.seed, given.count, today=given.today)}
