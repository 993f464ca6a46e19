"""Proof of possession (DPoP, RFC 9449): every check of 4.3, in order, as data."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

import orjson

from gateway.keyring import base64url
from gateway.oauth.checks import FUTURE_SECONDS, Check, first_failing, number, text
from gateway.oauth.dpop_nonce import Nonces
from gateway.oauth.jws import ALGORITHMS, Jws, JwsError, PublicKey, import_jwk, parse, verify
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.replay import OneTime

OLDEST_SECONDS = 60
_CACHED_BYTES = 1024
_DEFAULT_PORTS = {"https": 443, "http": 80}
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_VISIBLE = re.compile(r"[!-~]+")
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Proof:
    """A verified proof: the thumbprint of its key, and what must not be used again."""

    jkt: str
    once: OneTime


@dataclass(frozen=True, slots=True)
class Presented:
    """A proof as it arrived with the request it must fit. `ath` is None where no access token travels."""

    jws: Jws
    method: str
    url: str
    now: int
    ath: str | None


def _iat(seen: Presented) -> bool:
    iat = seen.jws.claims.get("iat")
    return number(iat) and seen.now - OLDEST_SECONDS <= iat <= seen.now + FUTURE_SECONDS


def _alive(seen: Presented) -> bool:
    exp, nbf = seen.jws.claims.get("exp", seen.now + 1), seen.jws.claims.get("nbf", 0)
    return number(exp) and number(nbf) and seen.now < exp and nbf <= seen.now + FUTURE_SECONDS


def _ath(seen: Presented) -> bool:
    given = seen.jws.claims.get("ath")
    return seen.ath is None or (text(given) and hmac.compare_digest(given.encode(), seen.ath.encode()))


CHECKS: tuple[Check[Presented], ...] = (
    Check("proof.typ", "RFC 9449 4.3-4", "typ must be dpop+jwt",
          lambda seen: seen.jws.header.get("typ") == "dpop+jwt"),
    Check("proof.alg", "FAPI2-SP 5.4.1", f"alg must be one of {' '.join(ALGORITHMS)}",
          lambda seen: seen.jws.header.get("alg") in ALGORITHMS),
    Check("proof.jti", "RFC 9449 4.3-3", "jti must be a string of 1 to 256 characters",
          lambda seen: text(seen.jws.claims.get("jti"))),
    Check("proof.htm", "RFC 9449 4.3-8", "htm must be the method of the request",
          lambda seen: seen.jws.claims.get("htm") == seen.method),
    Check("proof.htu", "RFC 9449 4.3-9", "htu must be the address of the request",
          lambda seen: same_target(seen.jws.claims.get("htu"), seen.url)),
    Check("proof.iat", "RFC 9449 4.3-11", "iat must be within the last minute", _iat),
    Check("proof.dates", "RFC 7519 4.1", "exp and nbf, if given, must hold now", _alive),
    Check("proof.ath", "RFC 9449 4.3-12", "ath must be the hash of the access token", _ath),
)  # fmt: skip


def check_proof(
    headers: Sequence[str],
    *,
    method: str,
    url: str,
    now: int,
    access_token: str | None = None,
    nonces: Nonces | None = None,
) -> Proof:
    """Verify the one DPoP header among `headers` for a request to the external address `url`.

    With `nonces` it must carry one of them. Raises OAuthRefusal `dpop_missing`, `dpop_invalid` or
    `dpop_nonce_needed`. Pure: the caller spends `Proof.once`.
    """
    if not headers:
        raise OAuthRefusal("dpop_missing")
    if len(headers) > 1:
        raise _invalid("proof.single", "exactly one DPoP header must be sent")
    try:
        jws = parse(headers[0])
        key, jkt = _key(jws)
    except JwsError as error:
        raise _invalid("proof.form", str(error)) from error
    ath = None if access_token is None else token_hash(access_token)
    seen = Presented(jws, method, url, now, ath)
    if failing := first_failing(CHECKS, seen):
        raise _invalid(failing.id, failing.wanted)
    if not verify(jws, key):
        raise _invalid("proof.signature", "the key in the proof must have made its signature")
    if nonces is not None:
        nonces.take(jws.claims.get("nonce"), now)
    digest = hashlib.sha256(f"{jkt}\n{jws.claims['jti']}".encode()).digest()
    expires = int(jws.claims["iat"]) + OLDEST_SECONDS + FUTURE_SECONDS
    return Proof(jkt, OneTime("proof", digest, expires, "dpop_replayed"))


def token_hash(access_token: str) -> str:
    """The `ath` of an access token (RFC 9449 4.2)."""
    return base64url(hashlib.sha256(access_token.encode("ascii", "replace")).digest())


def same_target(htu: object, url: str) -> bool:
    """Whether `htu` names `url`, compared as RFC 3986 6.2.2 and 6.2.3 allow; query and fragment ignored."""
    if not text(htu, 2000) or not _VISIBLE.fullmatch(str(htu)):
        return False
    wanted = _own(url)
    return wanted is not None and (htu == url or _normal(str(htu)) == wanted)


@lru_cache(maxsize=1024)
def _own(url: str) -> tuple[str, str, int | None, str] | None:
    """An address of ours; there are few, but those of the data doors hold ids."""
    return _normal(url)


def _normal(url: str) -> tuple[str, str, int | None, str] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        return None
    path = _PERCENT.sub(_unescape, parts.path) or "/"
    return parts.scheme, parts.hostname, port, path


def _unescape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if _UNRESERVED.fullmatch(character) else match[0].upper()


def _key(jws: Jws) -> tuple[PublicKey, str]:
    jwk = jws.header.get("jwk")
    if not isinstance(jwk, dict):
        raise JwsError("the header has no jwk")
    try:
        written = orjson.dumps(jwk, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:  # it is read deeper than it is written
        raise JwsError("the jwk is nested too deeply") from error
    return _imported(written) if len(written) <= _CACHED_BYTES else import_jwk(jwk)


@lru_cache(maxsize=4096)
def _imported(jwk: bytes) -> tuple[PublicKey, str]:
    return import_jwk(orjson.loads(jwk))


def _invalid(check: str, what: str) -> OAuthRefusal:
    return OAuthRefusal("dpop_invalid", check=check, what=what)
