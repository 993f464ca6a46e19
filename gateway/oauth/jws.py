"""Reading a compact JWS strictly: FAPI 2.0 algorithms only, canonical base64url, public keys only.

Hand-written over `cryptography` because it is on every hot path; the tests hold it against joserfc and
PyJWT. Nothing in a token is trusted before `verify`.
"""

from __future__ import annotations

from binascii import a2b_base64
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.keyring import base64url, thumbprint

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | Ed25519PublicKey

ALGORITHMS = ("ES256", "PS256", "EdDSA", "Ed25519")
"""FAPI 2.0 5.4.1: PS256, ES256 and EdDSA with Ed25519 (also by its RFC 9864 name); never `none`."""

MAX_BYTES = 16_384
_STANDARD = bytes.maketrans(b"-_", b"+/")
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_ECDSA_SHA256 = ec.ECDSA(SHA256())
_PSS_SHA256 = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=SHA256.digest_size)


class JwsError(ValueError):
    """Not an acceptable compact JWS or JWK; the text says why and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Jws:
    """A parsed, NOT yet verified JWS."""

    header: dict[str, Any]
    claims: dict[str, Any] = field(repr=False)
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def decode(text: str) -> bytes:
    """Strict unpadded base64url: one text for one value, so no second spelling slips past a replay key."""
    try:
        data = a2b_base64(text.encode("ascii").translate(_STANDARD) + b"=" * (-len(text) % 4))
    except ValueError as error:  # UnicodeEncodeError and binascii.Error are ValueErrors
        raise JwsError("a part is not base64url") from error
    if base64url(data) != text:
        raise JwsError("a part is not canonical base64url")
    return data


def parse(token: str, *, longest: int = MAX_BYTES) -> Jws:
    """Take `token` apart. Raises JwsError for anything but three canonical parts with JSON objects."""
    if len(token) > longest:
        raise JwsError("the token is too long")
    parts = token.split(".")
    if len(parts) != 3:
        raise JwsError("the token has not three parts")
    header = _object(decode(parts[0]))
    if "crit" in header or "b64" in header:
        raise JwsError("the header asks for an extension that is not supported")
    claims = _object(decode(parts[1]))
    return Jws(header, claims, f"{parts[0]}.{parts[1]}".encode("ascii"), decode(parts[2]))


def verify(jws: Jws, key: PublicKey) -> bool:
    """Whether `key` made this signature, by the one algorithm of ALGORITHMS that fits the key."""
    alg = jws.header.get("alg")
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            if alg != "ES256" or len(jws.signature) != 64:
                return False
            r, s = int.from_bytes(jws.signature[:32], "big"), int.from_bytes(jws.signature[32:], "big")
            key.verify(encode_dss_signature(r, s), jws.signing_input, _ECDSA_SHA256)
        elif isinstance(key, rsa.RSAPublicKey):
            if alg != "PS256":
                return False
            key.verify(jws.signature, jws.signing_input, _PSS_SHA256, SHA256())
        else:
            if alg not in ("EdDSA", "Ed25519"):
                return False
            key.verify(jws.signature, jws.signing_input)
    except InvalidSignature:
        return False
    return True


def import_jwk(jwk: object) -> tuple[PublicKey, str]:
    """The public key of a JWK and its RFC 7638 thumbprint.

    Raises JwsError for private or symmetric keys, other curves, and RSA under 2048 bits (FAPI 2.0 5.4.1).
    """
    if not isinstance(jwk, dict):
        raise JwsError("the key is not a JWK object")
    if PRIVATE_MEMBERS & jwk.keys():
        raise JwsError("the key contains private members")
    kind, curve = jwk.get("kty"), jwk.get("crv")
    try:
        if kind == "EC" and curve == "P-256":
            return _p256(_bytes(jwk, "x", 32), _bytes(jwk, "y", 32)), _thumbprint(jwk, "crv", "kty", "x", "y")
        if kind == "OKP" and curve == "Ed25519":
            return Ed25519PublicKey.from_public_bytes(_bytes(jwk, "x", 32)), _thumbprint(
                jwk, "crv", "kty", "x"
            )
        if kind == "RSA":
            return _rsa(_bytes(jwk, "n"), _bytes(jwk, "e")), _thumbprint(jwk, "e", "kty", "n")
    except JwsError:
        raise
    except ValueError as error:
        raise JwsError("the key is malformed") from error
    raise JwsError("the key is not P-256, Ed25519 or RSA")


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise JwsError("a part is not JSON") from error
    if not isinstance(value, dict):
        raise JwsError("a part is not a JSON object")
    return value


def _bytes(jwk: dict[str, Any], name: str, size: int | None = None) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise JwsError("the key is malformed")
    data = decode(value)
    if size is not None and len(data) != size:
        raise JwsError("the key is malformed")
    return data


def _thumbprint(jwk: dict[str, Any], *names: str) -> str:
    return thumbprint({name: jwk[name] for name in names})


def _p256(x: bytes, y: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)


def _rsa(modulus: bytes, exponent: bytes) -> rsa.RSAPublicKey:
    n, e = int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")
    if not 2048 <= n.bit_length() <= 8192 or e.bit_length() > 32:
        raise JwsError("the RSA key must have 2048 to 8192 bits and a small exponent")
    return rsa.RSAPublicNumbers(e, n).public_key()
