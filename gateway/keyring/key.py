"""One key that signs, here or in another place, by one algorithm."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

import orjson
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.keyring.jwk import DEFAULT, PublicKey, algorithm_of, base64url, kid_of, public_jwk

Local = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Ed25519PrivateKey

_ECDSA_SHA256 = ec.ECDSA(SHA256())
_PSS_SHA256 = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=SHA256.digest_size)


class KeyringError(Exception):
    """No signature can be made: `signing_unavailable` (where the key lies) or `signing_alg_unavailable`."""

    def __init__(self, code: str, message: str) -> None:
        """Refuse with `code`; the text names no secret."""
        super().__init__(message)
        self.code = code


class Remote(Protocol):
    """A private key that lies elsewhere: a token, or another machine.

    `sign` gives the JOSE form of the signature (RFC 7518 3.4, 3.5; RFC 8037 3.1). It MAY block its thread
    for a bounded time, MUST be safe to call from several threads, MUST NOT be called inside a transaction,
    and raises KeyringError `signing_unavailable` when no signature could be made; it MAY be called again.
    """

    def public_key(self) -> PublicKey:
        """The public half, without any call."""

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key and the algorithm it signs by. Safe to share between tasks and threads."""

    private: Local | Remote = field(repr=False)
    kid: str = ""
    alg: str = DEFAULT

    @classmethod
    def of(cls, private: Local | Remote) -> SigningKey:
        """Name `private` by its thumbprint; its kind says the algorithm."""
        public = private.public_key()
        return cls(private, kid_of(public), algorithm_of(public))

    @property
    def slow(self) -> bool:
        """Whether signing waits for another device or machine."""
        return not isinstance(self.private, Local)

    def public(self) -> PublicKey:
        """The verifying half."""
        return self.private.public_key()

    def jwk(self) -> dict[str, str]:
        """The public key as a JWK, ready for a JWKS."""
        return public_jwk(self.public())

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """The compact JWS of `claims`, in the order given, with `typ` as explicit type (RFC 8725 3.11).

        Raises KeyringError. Blocks its thread while `slow`; refuses to block an event loop.
        """
        signing_input = f"{_header(self.alg, self.kid, typ)}.{base64url(orjson.dumps(dict(claims)))}"
        return f"{signing_input}.{base64url(self._signature(signing_input.encode('ascii')))}"

    def _signature(self, data: bytes) -> bytes:
        private = self.private
        if isinstance(private, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(private.sign(data, _ECDSA_SHA256))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if isinstance(private, rsa.RSAPrivateKey):
            return private.sign(data, _PSS_SHA256, SHA256())
        if isinstance(private, Ed25519PrivateKey):
            return private.sign(data)
        if _on_event_loop():
            raise RuntimeError("a key that lies elsewhere must not sign on the event loop: use offload()")
        return private.sign(data)


@lru_cache(maxsize=256)
def _header(alg: str, kid: str, typ: str) -> str:
    return base64url(orjson.dumps({"alg": alg, "kid": kid, "typ": typ}))


def _on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
