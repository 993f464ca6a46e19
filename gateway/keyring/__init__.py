"""The gateway's signing keys as the doors hold them; where private halves come from: gateway.keys."""

from gateway.keyring.jwk import (
    ALGORITHMS,
    DEFAULT,
    PublicKey,
    algorithm_of,
    base64url,
    kid_of,
    public_jwk,
    thumbprint,
)
from gateway.keyring.key import KeyringError, Local, Remote, SigningKey
from gateway.keyring.live import LiveKeyring, one_ring
from gateway.keyring.ring import Keyring, Signing

__all__ = [
    "ALGORITHMS",
    "DEFAULT",
    "Keyring",
    "KeyringError",
    "LiveKeyring",
    "Local",
    "PublicKey",
    "Remote",
    "Signing",
    "SigningKey",
    "algorithm_of",
    "base64url",
    "kid_of",
    "one_ring",
    "public_jwk",
    "thumbprint",
]
