"""What a client document must hold, as ordered checks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from gateway.keyring import DEFAULT
from gateway.oauth.client_openid import MEMBERS as OPENID_MEMBERS
from gateway.oauth.client_openid import wrong_openid
from gateway.oauth.jws import ALGORITHMS, JwsError, PublicKey, decode, import_jwk
from gateway.oauth.tls_client import BY_NAME, METHODS, PRIVATE_KEY_JWT, SUBJECTS, subject_of, x5c_fits

KINDS = frozenset({"licensed_operator", "general", "specialised", "special", "contract"})
"""Recipient kinds, told per sector: what policy reads, never what a client claims at run time."""

GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,62}[a-z0-9])")
_REQUIRED = frozenset({"client_id", "name", "contact", "redirect_uris", "kinds"})
_MEMBERS = _REQUIRED | {
    "grant_types",
    "legal_name",
    "registration",
    "country",
    "require_signed_request_object",
    "jwks",
    "jwks_uri",
}
RESPONSE_ALGS = (
    "authorization_signed_response_alg",
    "introspection_signed_response_alg",
    "id_token_signed_response_alg",
)
"""By what the gateway signs for a client (JARM 3, RFC 9701 6, OpenID Registration 2)."""

_TLS_MEMBERS = {"token_endpoint_auth_method", "tls_client_certificate_bound_access_tokens", *SUBJECTS}
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class ClientDocumentError(Exception):
    """A client cannot be registered; `code` is stable and the text says what to change."""

    def __init__(self, code: str, message: str) -> None:
        """Refuse with `code`: client_document_invalid | client_exists."""
        super().__init__(message)
        self.code = code
        self.params = {"what": message}


def _redirect_uri(value: object) -> bool:
    """FAPI 2.0 5.3.2.2-8: https, or http on the loopback of a native client."""
    url = _read(value)
    if url is None:
        return False
    secure = url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)
    return secure and "#" not in str(value) and url.username is None


def is_jwks_uri(value: object) -> bool:
    """Whether `value` is an address keys may be fetched from: https, a host, nothing a server never sees."""
    url = _read(value)
    if url is None:
        return False
    plain = url.username is None and url.password is None and "#" not in str(value)
    return url.scheme == "https" and plain and url.port != 0


def _read(value: object) -> SplitResult | None:
    """The parts of an address that everybody takes apart alike; None for any other value."""
    if not isinstance(value, str) or not 0 < len(value) <= 2000 or not value.isascii():
        return None
    if not value.isprintable() or " " in value or "\\" in value:
        return None
    try:
        url = urlsplit(value)
        known = url.port is None or url.port >= 0
    except ValueError:
        return None
    return url if known and url.hostname else None


def _named(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {"ko", "en"}:
        return False
    return all(_text(text) for text in value.values())


def _text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def _list_of(value: object, check: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and 0 < len(value) <= 20 and all(check(item) for item in value)


def _kinds(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(kind in KINDS for kind in value.values())


def _client_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _redirect_uris(value: object) -> bool:
    return _list_of(value, _redirect_uri)


def _grant_types(value: object) -> bool:
    return _list_of(value, lambda item: item in GRANT_TYPES)


def _country(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Z]{2}", value) is not None


def _boolean(value: object) -> bool:
    return isinstance(value, bool)


def _algorithm(value: object) -> bool:
    return value in ALGORITHMS


def _jwks(value: object) -> bool:
    keys = value.get("keys") if isinstance(value, dict) else None
    return isinstance(keys, list) and len(keys) <= 20 and all(isinstance(key, dict) for key in keys)


def _jwks_uri(value: object) -> bool:
    return value is None or is_jwks_uri(value)


CHECKS: tuple[tuple[str, Callable[[object], bool], str], ...] = (
    ("client_id", _client_id, "lower-case letters, digits and hyphens, 3 to 64"),
    ("name", _named, "an object with a name in ko and in en"),
    ("contact", _text, "an address people can write to"),
    ("legal_name", _text, "the registered name of the company"),
    ("registration", _text, "the number of its business registration"),
    ("country", _country, "the two letters (ISO 3166-1) of the country the company keeps the data in"),
    ("redirect_uris", _redirect_uris, "a list of https addresses without fragment (http on loopback only)"),
    ("kinds", _kinds, f"an object of sector to recipient kind ({', '.join(sorted(KINDS))})"),
    ("grant_types", _grant_types, f"a list out of {', '.join(GRANT_TYPES)}"),
    ("jwks", _jwks, "a JWK set"),
    ("jwks_uri", _jwks_uri, "an https address without fragment or user"),
    ("require_signed_request_object", _boolean, "true or false"),
    *((name, _algorithm, f"one of {', '.join(ALGORITHMS)}") for name in RESPONSE_ALGS),
)


def checked(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with defaults filled in. Raises ClientDocumentError at the first failing check."""
    if unknown := sorted(set(document) - _MEMBERS - _TLS_MEMBERS - set(RESPONSE_ALGS) - OPENID_MEMBERS):
        raise ClientDocumentError("client_document_invalid", f"unknown member {unknown[0]!r}")
    if missing := sorted(_REQUIRED - document.keys()):
        raise ClientDocumentError("client_document_invalid", f"{missing[0]} is missing")
    if "jwks" not in document and "jwks_uri" not in document:
        raise _invalid("jwks or jwks_uri is missing")
    values = {
        "grant_types": list(GRANT_TYPES),
        "legal_name": "-",
        "registration": "-",
        "country": "KR",
        "require_signed_request_object": False,
        **dict.fromkeys(RESPONSE_ALGS, DEFAULT),
        **({"jwks": {"keys": []}} if "jwks_uri" in document else {}),
        **document,
    }
    for member, check, wanted in CHECKS:
        if not check(values.get(member)):
            raise ClientDocumentError("client_document_invalid", f"{member} must be {wanted}")
    _check_tls(values)
    if wrong := wrong_openid(values, _redirect_uri):
        raise _invalid(wrong)
    return values


def _check_tls(values: dict[str, Any]) -> None:
    """RFC 8705 2.1.2: a name of the certificate for tls_client_auth, and for nothing else."""
    method = values.setdefault("token_endpoint_auth_method", PRIVATE_KEY_JWT)
    if method not in METHODS:
        raise _invalid(f"token_endpoint_auth_method must be one of {', '.join(METHODS)}")
    if not isinstance(values.setdefault("tls_client_certificate_bound_access_tokens", False), bool):
        raise _invalid("tls_client_certificate_bound_access_tokens must be true or false")
    if method == BY_NAME and subject_of(values) is None:
        raise _invalid(f"tls_client_auth needs exactly one of {', '.join(SUBJECTS)}, well-formed")
    if method != BY_NAME and (named := sorted(values.keys() & set(SUBJECTS))):
        raise _invalid(f"{named[0]} goes with token_endpoint_auth_method tls_client_auth only")


def signing_keys(
    jwks: dict[str, Any], *, needed: bool = True, twice: bool = False
) -> list[tuple[str | None, str | None, PublicKey]]:
    """kid, alg and key of every `use: sig` key; at least one if `needed`, no kid twice (FAPI 2.0 5.4.2).

    `twice`: a set that is published may name two keys alike; each is tried.
    """
    found: list[tuple[str | None, str | None, PublicKey]] = []
    for jwk in jwks["keys"]:
        if jwk.get("use") == "enc":
            continue
        try:
            key, _ = import_jwk(jwk)
        except JwsError as error:
            raise _invalid(f"jwks: {error}") from error
        if jwk.get("alg", "ES256") not in ALGORITHMS:
            raise _invalid(f"jwks: alg must be one of {', '.join(ALGORITHMS)}")
        if not x5c_fits(jwk, key):
            raise _invalid("jwks: the first certificate of x5c must be of the key it stands with")
        found.append((jwk.get("kid"), jwk.get("alg"), key))
    kids = [kid for kid, _, _ in found]
    if (needed and not found) or (len(set(kids)) != len(kids) and not twice):
        raise _invalid("jwks needs signing keys, each with a kid of its own")
    return found


def encryption_key(jwks: dict[str, Any]) -> dict[str, str]:
    """The one X25519 `use: enc` key bundles are sealed to."""
    keys = [jwk for jwk in jwks["keys"] if jwk.get("use") == "enc"]
    if len(keys) != 1 or keys[0].get("kty") != "OKP" or keys[0].get("crv") != "X25519" or "d" in keys[0]:
        raise _invalid("jwks needs exactly one public X25519 key with use enc")
    try:
        size = len(decode(str(keys[0].get("x"))))
    except JwsError as error:
        raise _invalid(f"jwks: {error}") from error
    if size != 32:
        raise _invalid("jwks: the X25519 key must have 32 bytes")
    return {name: str(value) for name, value in keys[0].items()}


def _invalid(message: str) -> ClientDocumentError:
    return ClientDocumentError("client_document_invalid", message)
