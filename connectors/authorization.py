"""How the gateway is authorised at a holder: per citizen and per consent, never by a shared key.

    link      once a person and holder: the identity provider's statement -> an opaque subject link
    token     per pull: a signed request naming link, consent, version, end, datasets -> a short Bearer token
    notify    at once when a consent moves (`Told`): the holder serves it accordingly and says so

Every statement of the gateway is a compact JWS (ES256) made by the injected `sign`, lives 60 s at most and
carries its own `jti`. RFC 7521/7523 shapes.
"""

from __future__ import annotations

import inspect
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

import httpx
import msgspec

from connectors.contract import Manifest, Reason
from connectors.errors import HolderError
from connectors.http import exchange
from connectors.origins import inside
from connectors.refusals import refusal

REQUEST_TYPE = "mydata-holder-request+jwt"
NOTICE_TYPE = "mydata-consent-notice+jwt"
CLIENT_TYPE = "client-authentication+jwt"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
STATEMENT_SECONDS = 60
ANSWER_BYTES = 64 * 1024
ANSWER_SECONDS = 10.0
EARLY_SECONDS = 15
"""A token is given up this long before it ends, so that it does not die on the way."""

Told = Literal["withdrawn", "narrowed", "paused", "resumed", "renewed", "expired"]
"""What a holder can be told of a consent: `paused` until `resumed`, `withdrawn` and `expired` for ever."""

Read = TypeVar("Read", bound=msgspec.Struct)


class Sign(Protocol):
    """Signs claims as a compact JWS (ES256) with the gateway's key; `typ` goes into the header."""

    def __call__(self, claims: Mapping[str, Any], typ: str) -> str | Awaitable[str]:
        """The compact serialisation."""
        ...


@dataclass(frozen=True, slots=True)
class Gateway:
    """Who asks: the operator's code, its signer, and the client to holders."""

    code: str
    sign: Sign
    client: httpx.AsyncClient
    now: Callable[[], float] = time.time
    new_id: Callable[[], str] = field(default=lambda: secrets.token_urlsafe(18))


@dataclass(frozen=True, slots=True)
class ConsentTerms:
    """What a token is asked for: one version of one consent at one holder. `end` is epoch seconds.

    `listing`: a request for the list of accounts only, before there is a consent (request type 0); then
    `consent_id` names the question put to the citizen, and `end` is when it can no longer be answered.
    """

    consent_id: str
    version: int
    end: int
    datasets: tuple[str, ...]
    listing: bool = False


class _Link(msgspec.Struct, frozen=True):
    link: str


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    token_type: str
    expires_in: int


class _Acknowledgement(msgspec.Struct, frozen=True):
    acknowledged: bool
    at: int


@dataclass(frozen=True, slots=True)
class _Door(Generic[Read]):
    path: str
    kind: str
    answer: type[Read]


_LINKS = _Door("/links", "application/json", _Link)
_TOKENS = _Door("/oauth/2.0/token", "application/x-www-form-urlencoded", _Token)
_NOTICES = _Door("/consent-notices", "application/json", _Acknowledgement)


async def link(gateway: Gateway, holder: Manifest, identity_statement: str) -> str:
    """The holder's opaque, stable link for the person named in the identity provider's statement.

    `identity_statement` is a JWS of type `mydata-link+jwt` with `aud` the holder's id and `azp` the
    gateway's code. Raises HolderError: NO_LINK when the person is no customer, DENIED when the holder does
    not believe us, or why it could not be reached.
    """
    proof = await _statement(gateway, holder, {"sub": gateway.code}, CLIENT_TYPE)
    body = {"assertion": identity_statement, "client_assertion": proof}
    read = await _post(gateway, holder, _LINKS, msgspec.json.encode(body))
    if not 1 <= len(read.link) <= 256 or not read.link.isascii() or not read.link.isprintable():
        raise HolderError(Reason.CORRUPT, "the link is not usable")
    return read.link


async def token(
    gateway: Gateway, holder: Manifest, subject_link: str, terms: ConsentTerms
) -> tuple[str, int]:
    """A holder token for these terms, and the epoch second it ends at.

    Raises HolderError: REVOKED for a consent withdrawn or ended there, NO_LINK for a link unknown there,
    UNKNOWN_DATASET, DENIED, or why the holder could not be reached.
    """
    claims = {
        "sub": subject_link,
        "consent_id": terms.consent_id,
        "consent_version": terms.version,
        "consent_end": terms.end,
        "datasets": list(terms.datasets),
        **({"request_type": 0} if terms.listing else {}),
    }
    assertion = await _statement(gateway, holder, claims, REQUEST_TYPE)
    form = httpx.QueryParams({"grant_type": JWT_BEARER, "assertion": assertion})
    read = await _post(gateway, holder, _TOKENS, str(form).encode())
    if read.token_type.lower() != "bearer" or not _bearer(read.access_token) or read.expires_in <= 0:
        raise HolderError(Reason.CORRUPT, "the holder token is not usable")
    return read.access_token, min(int(gateway.now()) + read.expires_in, terms.end)


async def notify(
    gateway: Gateway,
    holder: Manifest,
    consent_id: str,
    version: int,
    event: Told,
) -> datetime:
    """Tell the holder what the move to `version` made of a consent; when it acknowledged.

    Safe to repeat. Raises HolderError when there was no acknowledgement: the caller MUST send it again.
    """
    claims = {"consent_id": consent_id, "version": version, "event": event, "at": int(gateway.now())}
    notice = await _statement(gateway, holder, claims, NOTICE_TYPE)
    read = await _post(gateway, holder, _NOTICES, msgspec.json.encode({"notice": notice}))
    if not read.acknowledged:
        raise HolderError(Reason.CONTRACT, "the holder did not acknowledge the notice")
    try:
        return datetime.fromtimestamp(read.at, UTC)
    except (OverflowError, ValueError, OSError):
        raise HolderError(Reason.CORRUPT, "the acknowledgement has no usable time") from None


class HolderToken:
    """The token of one pull, asked for when first needed: a `connectors.session.Token`."""

    def __init__(self, gateway: Gateway, holder: Manifest, subject_link: str, terms: ConsentTerms) -> None:
        """For one person (through `subject_link`) and one version of one consent."""
        self._ask = (gateway, holder, subject_link, terms)
        self._held: tuple[str, int] | None = None

    async def __call__(self, renew: bool) -> str:
        """The living token; a new one when `renew` or when the held one is about to end."""
        now = self._ask[0].now()
        if renew or self._held is None or self._held[1] - EARLY_SECONDS <= now:
            self._held = await token(*self._ask)
        return self._held[0]


async def _statement(gateway: Gateway, holder: Manifest, claims: Mapping[str, Any], typ: str) -> str:
    now = int(gateway.now())
    whole = {
        "iss": gateway.code,
        "aud": holder.origin,
        "jti": gateway.new_id(),
        "iat": now,
        "exp": now + STATEMENT_SECONDS,
        **claims,
    }
    signed = gateway.sign(whole, typ)
    return await signed if inspect.isawaitable(signed) else str(signed)


async def _post(gateway: Gateway, holder: Manifest, door: _Door[Read], body: bytes) -> Read:
    headers = {"content-type": door.kind, "accept": "application/json"}
    url = inside(holder.origin, door.path)
    request = gateway.client.build_request("POST", url, content=body, headers=headers)
    answer = await exchange(gateway.client, request, seconds=ANSWER_SECONDS, max_bytes=ANSWER_BYTES)
    if error := refusal(answer, datetime.fromtimestamp(gateway.now(), UTC)):
        raise error
    try:
        return msgspec.json.decode(answer.body, type=door.answer)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise HolderError(Reason.CORRUPT, "the holder's answer is not what its door promises") from None


def _bearer(value: str) -> bool:
    """RFC 6750 2.1 b64token, bounded."""
    return 1 <= len(value) <= 8192 and value.isascii() and not any(c.isspace() or c in '",;' for c in value)
