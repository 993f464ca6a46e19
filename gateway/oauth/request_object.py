"""Signed request objects at PAR (RFC 9101, RFC 9126 3, FAPI 2.0 Message Signing 5.3.1).

Authlib's `JWTAuthenticationRequest` reads through joserfc's default algorithms, looks at neither `aud` nor
`nbf`, and hooks into the citizen's return as well, so the object is read here by our strict JWS reader,
before Authlib's core sees the parameters. Its metadata validator is used in `gateway.oauth.metadata`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import orjson

from gateway.oauth.checks import FUTURE_SECONDS, Check, first_failing, number
from gateway.oauth.clients import Client
from gateway.oauth.jws import ALGORITHMS, Jws, JwsError, parse
from gateway.oauth.refusals import OAuthRefusal

LONGEST_SECONDS = 3600
"""FAPI 2.0 Message Signing 5.3.1: `nbf` at most so long ago, `exp` at most so long after `nbf`."""
MAX_BYTES = 80 * 1024
TYPES = ("jwt", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt")

_JWT = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti", "sub"})
_STRUCTURES: Mapping[str, tuple[type, ...]] = {"authorization_details": (list, dict), "claims": (dict,)}
"""What only JSON can say; an object of details is refused by who reads details, by its own error."""
_NUMBERS = frozenset({"max_age"})
_TEXTS = frozenset(
    {
        *("response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method", "dpop_jkt", "ui_locales", "prompt", "acr_values"),
        *("login_hint", "id_token_hint", "grant_id", "grant_management_action", "resource"),
    }
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A request object as it arrived, not yet verified, with what it is held against."""

    jws: Jws
    issuer: str
    client_id: str
    now: int

    def claim(self, name: str) -> Any:
        return self.jws.claims.get(name)


def _typ(seen: _Seen) -> bool:
    return str(seen.jws.header.get("typ", "JWT")).lower() in TYPES


def _aud(seen: _Seen) -> bool:
    aud = seen.claim("aud")
    return aud == seen.issuer or (isinstance(aud, list) and seen.issuer in aud)


def _nbf(seen: _Seen) -> bool:
    nbf = seen.claim("nbf")
    return number(nbf) and seen.now - LONGEST_SECONDS <= nbf <= seen.now + FUTURE_SECONDS


def _exp(seen: _Seen) -> bool:
    exp = seen.claim("exp")
    return number(exp) and seen.now < exp <= seen.claim("nbf") + LONGEST_SECONDS


def _iat(seen: _Seen) -> bool:
    iat = seen.jws.claims.get("iat", 0)
    return number(iat) and iat <= seen.now + FUTURE_SECONDS


def _no_reference(seen: _Seen) -> bool:
    return not {"request", "request_uri"} & seen.jws.claims.keys()


CHECKS: tuple[Check[_Seen], ...] = (
    Check("request.alg", "FAPI2-SP 5.4.1", f"alg must be one of {' '.join(ALGORITHMS)}",
          lambda seen: seen.jws.header.get("alg") in ALGORITHMS),
    Check("request.typ", "RFC 9101 10.8", "typ must be oauth-authz-req+jwt or JWT, if any", _typ),
    Check("request.iss", "RFC 9101 4", "iss must be the client_id",
          lambda seen: seen.claim("iss") == seen.client_id),
    Check("request.client_id", "RFC 9126 3", "client_id must be the authenticated client",
          lambda seen: seen.claim("client_id") == seen.client_id),
    Check("request.sub", "RFC 9101 10.8", "sub must not be the client_id, or it could pass for an assertion",
          lambda seen: seen.claim("sub") != seen.client_id),
    Check("request.aud", "FAPI2-MS 5.3.1", "aud must be or contain the issuer identifier", _aud),
    Check("request.nbf", "FAPI2-MS 5.3.1", "nbf must be there and at most an hour old", _nbf),
    Check("request.exp", "FAPI2-MS 5.3.1", "exp must lie ahead and at most an hour after nbf", _exp),
    Check("request.iat", "FAPI2-SP 5.3.2.1-13", "iat must not lie in the future", _iat),
    Check("request.nested", "RFC 9101 4", "request and request_uri must not stand inside", _no_reference),
)  # fmt: skip


def parameters(form: Mapping[str, str], client: Client, *, issuer: str, now: int) -> dict[str, str]:
    """What the authenticated `client` asks: the members of its request object alone, or else the form.

    Whatever stands beside an object is not used (RFC 9126 3). Structures come as the JSON text a form
    would carry. Raises OAuthRefusal `request_object_invalid` (`invalid_request_object`), or
    `request_object_required` for a client that registered `require_signed_request_object`. Pure.
    """
    if "request_uri" in form:
        raise OAuthRefusal("invalid_request", what="request_uri is not allowed here")
    if "request" not in form:
        if client.require_signed_request_object:
            raise OAuthRefusal("request_object_required")
        return dict(form)
    try:
        jws = parse(form["request"], longest=MAX_BYTES)
    except JwsError as error:
        raise _invalid("request.form", str(error)) from error
    if failing := first_failing(CHECKS, _Seen(jws, issuer, client.id, now)):
        raise _invalid(failing.id, failing.wanted)
    if not client.signed(jws):
        raise _invalid("request.signature", "no registered key made the signature")
    asked = {name: value for name, value in jws.claims.items() if name not in _JWT}
    return {name: text for name, value in asked.items() if (text := _text(name, value))}


def _text(name: str, value: object) -> str | None:
    """The form spelling of one member; None for an unknown one that no form could carry (RFC 6749 3.1)."""
    if isinstance(value, str):
        if "\x00" in value:
            raise _invalid("request.member", f"{_shown(name)} holds a NUL")
        # A parameter with a structure has one spelling inside a JWT (RFC 9396 2, OIDC Core 6.1).
        if name not in _STRUCTURES and name not in _NUMBERS:
            return value
    elif name in _NUMBERS and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    elif name == "resource" and _texts(value):
        return " ".join(value)
    elif name in _STRUCTURES and isinstance(value, _STRUCTURES[name]):
        try:
            return orjson.dumps(value).decode()
        except orjson.JSONEncodeError as error:
            raise _invalid("request.member", f"{name} is nested too deeply") from error
    if name in _TEXTS or name in _STRUCTURES or name in _NUMBERS:
        raise _invalid("request.member", f"{name} has the wrong JSON type")
    return None


def _texts(value: object) -> TypeGuard[list[str]]:
    """Whether it is a list of texts: `resource` may name several (RFC 8707 2)."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) and one for one in value)


def _shown(name: str) -> str:
    return name if name in _TEXTS else "a member"


def _invalid(check: str, what: str) -> OAuthRefusal:
    return OAuthRefusal("request_object_invalid", check=check, what=what)
