"""What signs: immutable ES256 keys whose names are their RFC 7638 thumbprints.

A `Keyring` never changes after it is made; rotation hands the doors a new one. `repr` shows key names
only. ES256 signatures are the fixed 64-byte form of RFC 7518 3.4.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

_ECDSA_SHA256 = ec.ECDSA(SHA256())


def base64url(data: bytes) -> str:
    """The unpadded base64url text of `data` (RFC 7515 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def thumbprint(required: dict[str, str]) -> str:
    """The RFC 7638 SHA-256 thumbprint of the required public members of a JWK."""
    text = orjson.dumps(required, option=orjson.OPT_SORT_KEYS)
    return base64url(hashlib.sha256(text).digest())


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One ES256 key. Safe to share between tasks and threads."""

    private: ec.EllipticCurvePrivateKey = field(repr=False)
    kid: str = ""
    alg: str = "ES256"

    @classmethod
    def of(cls, private: ec.EllipticCurvePrivateKey) -> SigningKey:
        """Name `private` (P-256) by its thumbprint."""
        return cls(private, thumbprint(_public_members(private)))

    def jwk(self) -> dict[str, str]:
        """The public key as a JWK, ready for a JWKS."""
        return {**_public_members(self.private), "kid": self.kid, "use": "sig", "alg": self.alg}

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """The compact JWS of `claims` with `typ` as explicit type (RFC 8725 3.11)."""
        header = orjson.dumps({"alg": self.alg, "kid": self.kid, "typ": typ})
        signing_input = f"{base64url(header)}.{base64url(orjson.dumps(dict(claims)))}"
        r, s = decode_dss_signature(self.private.sign(signing_input.encode("ascii"), _ECDSA_SHA256))
        return f"{signing_input}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The current signing key first, then keys that still verify. Immutable."""

    keys: tuple[SigningKey, ...]

    @property
    def current(self) -> SigningKey:
        """The key that signs now."""
        return self.keys[0]

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """Sign with the current key; see `SigningKey.sign`."""
        return self.current.sign(claims, typ)

    def public(self, kid: str) -> ec.EllipticCurvePublicKey | None:
        """The verifying key named `kid`, if this ring has it."""
        return next((key.private.public_key() for key in self.keys if key.kid == kid), None)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public JWK set (RFC 7517 5)."""
        return {"keys": [key.jwk() for key in self.keys]}


def _public_members(private: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = private.public_key().public_numbers()
    return {
        "crv": "P-256",
        "kty": "EC",
        "x": base64url(numbers.x.to_bytes(32, "big")),
        "y": base64url(numbers.y.to_bytes(32, "big")),
    }
