"""Every key of one gateway, in one frozen object."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.keyring import LiveKeyring, SigningKey
from gateway.keys.kek import Keks
from gateway.keys.signing import SigningKeys

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """Frozen; `repr` shows no secret. `signing` gives out the ring of now, and `house`, if any, moves it."""

    signing: LiveKeyring
    ledger: Ed25519PrivateKey = field(repr=False)
    holder_requests: SigningKey
    subject_kek: Keks = field(repr=False)
    pairwise: bytes = field(repr=False)
    pseudonyms: bytes = field(repr=False)
    identity: bytes = field(repr=False)
    house: SigningKeys | None = field(default=None, repr=False)
