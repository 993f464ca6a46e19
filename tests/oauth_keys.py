"""Keys of every allowed kind, and one nobody may use, with full control over what they sign."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.keyring import SigningKey

Signer = Callable[[bytes], bytes]


def b64(data: bytes) -> str:
    """Unpadded base64url."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Key:
    """A private key with the JWK and the signature of one algorithm."""

    alg: str
    jwk: dict[str, str]
    sign: Signer
    rs256: Signer | None = None

    def as_rs256(self) -> Key:
        """The same RSA key under RS256, which nobody may use."""
        assert self.rs256 is not None
        return Key("RS256", self.jwk, self.rs256)

    def jws(self, header: dict[str, Any], claims: Any) -> str:
        """A compact JWS of exactly this header (alg added unless given; None drops a member) and claims."""
        head = {k: v for k, v in {"alg": self.alg, **header}.items() if v is not None}
        body = {k: v for k, v in claims.items() if v is not None} if isinstance(claims, dict) else claims
        text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(body).encode())}"
        return f"{text}.{b64(self.sign(text.encode()))}"


def es256() -> Key:
    """A fresh P-256 key."""
    private = ec.generate_private_key(ec.SECP256R1())

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return Key("ES256", {k: v for k, v in SigningKey.of(private).jwk().items() if k in "crvktyxy"}, sign)


def ed25519(alg: str = "EdDSA") -> Key:
    """A fresh Ed25519 key under either of its names."""
    private = Ed25519PrivateKey.generate()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(private.public_key().public_bytes_raw())}
    return Key(alg, jwk, private.sign)


def rs(alg: str = "PS256", bits: int = 2048) -> Key:
    """A fresh RSA key; PS256, or RS256 which nobody may use."""
    private = rsa.generate_private_key(65537, bits)
    numbers = private.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": b64(numbers.n.to_bytes(bits // 8, "big")), "e": "AQAB"}

    def pss(data: bytes) -> bytes:
        return private.sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())

    def pkcs1(data: bytes) -> bytes:
        return private.sign(data, padding.PKCS1v15(), SHA256())

    return Key(alg, jwk, pss if alg == "PS256" else pkcs1, pkcs1)
