"""Names and JWKs of public keys (RFC 7517, RFC 7638), and the algorithm that fits each kind."""

from __future__ import annotations

import hashlib
from binascii import b2a_base64

import orjson
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | Ed25519PublicKey

DEFAULT = "ES256"
ALGORITHMS = (DEFAULT, "PS256", "EdDSA", "Ed25519")
"""What a ring may sign with: FAPI 2.0 5.4.1; `Ed25519` is the RFC 9864 name of the same key and signature."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def base64url(data: bytes) -> str:
    """The unpadded base64url text of `data` (RFC 7515 2)."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=").decode("ascii")


def thumbprint(required: dict[str, str]) -> str:
    """The RFC 7638 SHA-256 thumbprint of the required public members of a JWK."""
    text = orjson.dumps(required, option=orjson.OPT_SORT_KEYS)
    return base64url(hashlib.sha256(text).digest())


def kid_of(public: PublicKey) -> str:
    """The name of a key: its RFC 7638 thumbprint."""
    return thumbprint(_public_members(public))


def algorithm_of(public: PublicKey) -> str:
    """By what a key signs: the one algorithm of FAPI 2.0 5.4.1 that fits its kind."""
    if isinstance(public, ec.EllipticCurvePublicKey):
        return "ES256"
    return "PS256" if isinstance(public, rsa.RSAPublicKey) else "EdDSA"


def public_jwk(public: PublicKey) -> dict[str, str]:
    """The JWK of a verifying key. No `alg` on Ed25519: signatures come under either of its names."""
    members = _public_members(public)
    named = {} if members["kty"] == "OKP" else {"alg": algorithm_of(public)}
    return {**members, "kid": thumbprint(members), "use": "sig", **named}


def _public_members(public: PublicKey) -> dict[str, str]:
    """The members RFC 7638 3.2 and RFC 8037 2 require, and no other."""
    if isinstance(public, ec.EllipticCurvePublicKey):
        numbers = public.public_numbers()
        x, y = (base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    if isinstance(public, rsa.RSAPublicKey):
        rsa_numbers = public.public_numbers()
        e, n = (
            base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
            for number in (rsa_numbers.e, rsa_numbers.n)
        )
        return {"e": e, "kty": "RSA", "n": n}
    return {"crv": "Ed25519", "kty": "OKP", "x": base64url(public.public_bytes_raw())}
