"""What an id_token must be before anything in it counts (OpenID Connect Core 3.1.3.7): ES256 only."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.oauth.jws import JwsError, PublicKey, import_jwk, parse, verify
from gateway.security.sessions import SignedIn
from gateway.web.identity import IdentityError, Person

LEEWAY_SECONDS = 30
OLDEST_SECONDS = 600
_MAX_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Expected:
    """What this sign-in expects; `now` and `since` (sign-in not before) are epoch seconds."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    now: int
    since: int | None = None


def public_keys(document: Mapping[str, Any]) -> dict[str, PublicKey]:
    """The keys of a JWK set by `kid`; keys of kinds we do not accept are passed over."""
    found: dict[str, PublicKey] = {}
    for jwk in document.get("keys") or ():
        try:
            key, _ = import_jwk(jwk)
        except JwsError:
            continue
        if isinstance(kid := jwk.get("kid"), str) and jwk.get("use", "sig") == "sig":
            found[kid] = key
    return found


async def verified_person(
    token: str, access: str, expected: Expected, key_of: Callable[[str], Awaitable[PublicKey | None]]
) -> Person:
    """The person `token` names. Raises IdentityError `sign_in_failed` for anything out of place."""
    try:
        jws = parse(token)
    except JwsError as error:
        raise _refused(str(error)) from error
    kid = jws.header.get("kid")
    if jws.header.get("alg") != "ES256" or not isinstance(kid, str):
        raise _refused("not ES256 with a kid")
    if jws.header.get("typ", "JWT") != "JWT":
        raise _refused("not an id_token")
    key = await key_of(kid)
    if key is None or not verify(jws, key):
        raise _refused("the signature is not the provider's")
    _check(jws.claims, expected)
    subject, age = jws.claims.get("sub"), jws.claims.get("age")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT:
        raise _refused("no usable sub")
    if not isinstance(age, int) or isinstance(age, bool) or not 0 <= age <= 150:
        raise _refused("no usable age")
    return Person(expected.issuer, subject, age, access, _how(jws.claims, expected))


def _how(claims: Mapping[str, Any], expected: Expected) -> SignedIn:
    """When and how the person signed in; refused if that is not what was asked for (Core 3.1.3.7-13)."""
    at, acr, amr = claims.get("auth_time"), claims.get("acr"), claims.get("amr")
    if at is not None and (type(at) is not int or not 0 <= at <= expected.now + LEEWAY_SECONDS):
        raise _refused("no usable auth_time")
    if expected.since is not None:
        if at is None or at < expected.since - LEEWAY_SECONDS:
            raise _refused("signed in too long ago")
        at = max(at, expected.since)  # the leeway is for clocks that differ: by ours it was after
    named = acr if _said(acr, _MAX_SUBJECT) else None
    methods = [one for one in amr if _said(one, 64)] if isinstance(amr, list) else []
    return SignedIn(None if at is None else min(at, expected.now), named, tuple(methods[:8]))


def _said(value: object, longest: int) -> bool:
    """Whether `value` is a name that can be stored and told on."""
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()


def _check(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise _refused("another issuer")
    if claims.get("aud") not in (expected.client_id, [expected.client_id]):
        raise _refused("another audience")
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise _refused("another authorized party")
    issued, ends = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(ends) is not int:
        raise _refused("no usable times")
    if not expected.now - OLDEST_SECONDS <= issued <= expected.now + LEEWAY_SECONDS:
        raise _refused("issued too long ago or in the future")
    if ends <= expected.now - LEEWAY_SECONDS:
        raise _refused("expired")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise _refused("another nonce")


def _refused(detail: str) -> IdentityError:
    return IdentityError("sign_in_failed", f"id_token: {detail}")
