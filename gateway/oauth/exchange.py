"""One request on its way through Authlib's core: what was loaded before deciding, what to write after.

The pattern is load (async) -> decide (sync, Authlib, no I/O) -> flush (async, one transaction).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from authlib.oauth2.rfc6749 import InsecureTransportError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth import client_assertion
from gateway.oauth.clients import Client
from gateway.oauth.dpop_nonce import Nonces
from gateway.oauth.grants import Code, Grant, RefreshToken
from gateway.oauth.recognition import Recognition
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.replay import OneTime
from gateway.security.client_certificate import ClientCertificate

Write = Callable[[AsyncSession], Awaitable[OAuthRefusal | None]]
"""A change to flush. A refusal it gives stops the flush; so only the first write may give one."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The parts of an HTTP request an OAuth decision may look at."""

    form: Mapping[str, str] = field(repr=False)
    proofs: Sequence[str] = field(repr=False)
    url: str
    now: int
    accept: str = ""
    """What the caller wants to read (RFC 9110 12.5.1)."""
    certificate: ClientCertificate | None = field(default=None, repr=False)
    nonces: Nonces | None = None
    """What a proof must carry one of (RFC 9449 8); None where the server gives none."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read before deciding; None where the request names nothing known."""

    client: Client | None = None
    code: Code | None = None
    refresh: RefreshToken | None = None
    grant: Grant | None = None
    recognition: Recognition | None = None
    claims: Mapping[str, Any] | None = None
    revoked: bool = False


_CHECKED = "https://gateway"


@lru_cache(maxsize=1024)
def _checked(url: str) -> None:
    """Authlib's own check of the address, which would take each number of it apart at every request."""
    InsecureTransportError.check(url)


class Exchange(OAuth2Request):  # type: ignore[misc]
    """Authlib's request, carrying its loaded rows in and its writes out. One task only."""

    def __init__(
        self, arrival: Arrival, loaded: Loaded, assertion: client_assertion.Presented | None = None
    ) -> None:
        """Wrap `arrival`; `assertion` is None where the client has been authenticated before (resume)."""
        _checked(arrival.url)
        super().__init__("POST", _CHECKED)
        self.uri = arrival.url
        self.payload = BasicOAuth2Payload(dict(arrival.form))
        self.arrival = arrival
        self.loaded = loaded
        self.assertion = assertion
        self.once: list[OneTime] = []
        self.writes: list[Write] = []
        self.cnf: dict[str, str] = {}
        self.details: list[dict[str, Any]] | None = None
        """What a token request asks for of the details granted, where it asks for less."""
        self.refused_with: str | None = None
        """The OAuth error a denied authorization is told with, where it is not `access_denied`."""

    @property
    def form(self) -> dict[str, str]:
        """The fields of the body."""
        return dict(self.arrival.form)

    @property
    def authenticated(self) -> bool:
        """Whether the client proved who it is."""
        return self.client is not None


def narrowed(grant: Grant, exchange: Exchange) -> Grant:
    """The grant as far as this request asks for it: its scope (RFC 6749 6) and details (RFC 9396 6)."""
    if exchange.details is not None:
        grant = replace(grant, details=exchange.details)
    asked = exchange.payload.scope if exchange.loaded.refresh is not None else None
    if not asked:
        return grant
    return replace(grant, scope=" ".join(name for name in grant.scope.split() if name in asked.split()))
