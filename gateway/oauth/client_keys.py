"""What of a key set a client publishes may be used: read strictly where it matters.

A set fetched from `jwks_uri` may hold keys we do not know (RFC 7517 5: ignored) and one kid twice (FAPI 2.0
5.4.2: coped with, every key of that kid is tried). A private or symmetric key spoils the whole set: whoever
publishes one has no secret left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.oauth.client_document import ClientDocumentError, encryption_key
from gateway.oauth.jws import ALGORITHMS, PRIVATE_MEMBERS, JwsError, import_jwk

MAX_KEYS = 20
_KEPT = frozenset({"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use", "x5c"})

Jwks = dict[str, list[dict[str, Any]]]


def usable(document: object) -> Jwks:
    """The keys of a published set that we use, in its order. Raises ClientDocumentError; see the module."""
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_KEYS:
        raise _invalid(f"must be a JWK set of 1 to {MAX_KEYS} keys")
    if not all(isinstance(key, dict) for key in keys):
        raise _invalid("must hold JSON objects only")
    if any(PRIVATE_MEMBERS & key.keys() or key.get("kty") == "oct" for key in keys):
        raise _invalid("holds a private or symmetric key; make new keys at once")
    signing = [_kept(key) for key in keys if _signs(key)]
    encrypting = [_kept(key) for key in keys if _encrypts(key)]
    if not signing or not encrypting:
        raise _invalid("needs a signing key (P-256, Ed25519, RSA) and an X25519 key with use enc")
    return {"keys": [*signing, encrypting[0]]}


def _signs(key: Mapping[str, Any]) -> bool:
    if key.get("use", "sig") != "sig" or key.get("alg", "ES256") not in ALGORITHMS:
        return False
    if not isinstance(key.get("kid", ""), str):
        return False
    try:
        import_jwk(dict(key))
    except JwsError:
        return False
    return True


def _encrypts(key: Mapping[str, Any]) -> bool:
    if key.get("use") != "enc" or not isinstance(key.get("kid"), str):
        return False
    try:
        encryption_key({"keys": [dict(key)]})
    except ClientDocumentError:
        return False
    return True


def _kept(key: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in key.items() if name in _KEPT}


def _invalid(message: str) -> ClientDocumentError:
    return ClientDocumentError("client_keys_invalid", f"the key set {message}")
