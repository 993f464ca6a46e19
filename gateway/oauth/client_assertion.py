"""Client authentication by signed assertion (`private_key_jwt`, RFC 7523 3, FAPI 2.0 5.3.2.1-6/8/13)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.oauth.checks import FUTURE_SECONDS, Check, first_failing, number, text
from gateway.oauth.clients import Client
from gateway.oauth.jws import ALGORITHMS, Jws, JwsError, parse
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.replay import OneTime

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Presented:
    """An assertion as it arrived, not yet verified, with what it is held against."""

    jws: Jws
    issuer: str
    now: int
    form_client_id: str | None

    @property
    def client_id(self) -> str:
        """Who the assertion claims to be from; believe it only after `authenticate`."""
        subject = self.jws.claims.get("sub")
        return subject if isinstance(subject, str) else ""


def _typ(seen: Presented) -> bool:
    return str(seen.jws.header.get("typ", "JWT")).lower() in ("jwt", "client-authentication+jwt")


def _exp(seen: Presented) -> bool:
    exp = seen.jws.claims.get("exp")
    return number(exp) and seen.now < exp <= seen.now + LONGEST_SECONDS


def _not_future(claim: str) -> Check[Presented]:
    def holds(seen: Presented) -> bool:
        value = seen.jws.claims.get(claim, 0)
        return number(value) and value <= seen.now + FUTURE_SECONDS

    return Check(f"assertion.{claim}", "FAPI2-SP 5.3.2.1-13", f"{claim} must not lie in the future", holds)


def _form_client_id(seen: Presented) -> bool:
    return seen.form_client_id in (None, seen.client_id)


CHECKS: tuple[Check[Presented], ...] = (
    Check("assertion.alg", "FAPI2-SP 5.4.1", f"alg must be one of {' '.join(ALGORITHMS)}",
          lambda seen: seen.jws.header.get("alg") in ALGORITHMS),
    Check("assertion.typ", "RFC 8725 3.11", "typ must be JWT or client-authentication+jwt", _typ),
    Check("assertion.sub", "RFC 7523 3-2B", "sub must be the client_id",
          lambda seen: text(seen.jws.claims.get("sub"))),
    Check("assertion.iss", "RFC 7523 3-1", "iss must equal sub",
          lambda seen: seen.jws.claims.get("iss") == seen.client_id),
    Check("assertion.client_id", "RFC 7521 4.2", "client_id of the form must equal sub", _form_client_id),
    Check("assertion.aud", "FAPI2-SP 5.3.2.1-8", "aud must be the issuer identifier as a string",
          lambda seen: seen.jws.claims.get("aud") == seen.issuer),
    Check("assertion.exp", "RFC 7523 3-4", "exp must lie ahead by at most an hour", _exp),
    _not_future("nbf"),
    _not_future("iat"),
    Check("assertion.jti", "RFC 7523 3-7", "jti must be a string of 1 to 256 characters",
          lambda seen: text(seen.jws.claims.get("jti"))),
)  # fmt: skip


def present(form: Mapping[str, str], *, issuer: str, now: int) -> Presented:
    """Take the assertion out of the form. Raises OAuthRefusal when there is none or it is not a JWS."""
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
        raise OAuthRefusal("client_assertion_missing")
    if "client_secret" in form:
        raise OAuthRefusal(
            "client_assertion_invalid", check="assertion.single", what="no client_secret is accepted"
        )
    try:
        jws = parse(form["client_assertion"])
    except JwsError as error:
        raise _invalid("assertion.form", str(error)) from error
    return Presented(jws, issuer, now, form.get("client_id"))


def authenticate(seen: Presented, client: Client | None) -> OneTime:
    """Prove that `client` signed what was presented; gives what must not be used again.

    Raises OAuthRefusal `client_unknown`, `client_assertion_invalid` or `client_suspended`. Pure.
    """
    if failing := first_failing(CHECKS, seen):
        raise _invalid(failing.id, failing.wanted)
    if client is None or client.id != seen.client_id:
        raise OAuthRefusal("client_unknown")
    if not client.signed(seen.jws):
        raise OAuthRefusal(
            "client_assertion_invalid",
            check="assertion.signature",
            what="no registered key made the signature",
        )
    if not client.active:
        raise OAuthRefusal("client_suspended")
    claims = seen.jws.claims
    digest = hashlib.sha256(f"{client.id}\n{claims['jti']}".encode()).digest()
    return OneTime("assertion", digest, int(claims["exp"]) + FUTURE_SECONDS, "client_assertion_replayed")


def _invalid(check: str, what: str) -> OAuthRefusal:
    return OAuthRefusal("client_assertion_invalid", check=check, what=what)
