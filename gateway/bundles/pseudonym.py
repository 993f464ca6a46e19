"""Keyed pseudonyms that mean something to one recipient in one epoch only.

    domain secret[recipient, epoch] = HKDF(root; recipient, epoch)
    subject key                     = HKDF-Extract(salt: the subject's salt, input: domain secret)
    subject pseudonym               = HMAC(HKDF-Expand(subject key, "subject"), "subject")
    field pseudonym                 = HMAC(HKDF-Expand(subject key, "field", join group), value)

HMAC-SHA-256 cut to 128 bits, base64url, 22 characters. The subject's salt is in every key: nobody can say
whether two citizens share an account number, and destroying the salt ends all recomputing (PIPA 28-4).
"""

from __future__ import annotations

import base64
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from gateway.bundles.errors import BundleError

SALT_BYTES = 32
PSEUDONYM_BYTES = 16
SCOPE = "subject@recipient"


@dataclass(frozen=True, slots=True)
class Domain:
    """The pseudonymisation domain of one recipient in one epoch. `repr` shows no secret."""

    recipient: str
    epoch: int
    secret: bytes = field(repr=False)

    @classmethod
    def derive(cls, root: bytes, recipient: str, epoch: int) -> Domain:
        """The domain under the gateway's `root` secret (32 bytes or more)."""
        _long_enough(root)
        info = _info("domain", recipient, str(epoch))
        return cls(recipient, epoch, HKDF(hashes.SHA256(), 32, None, info).derive(root))

    def subject(self, salt: bytes) -> SubjectKeys:
        """The keys of the citizen whose secret salt (exactly 32 random bytes) this is."""
        if len(salt) != SALT_BYTES:
            raise BundleError("pseudonym_secret_weak")
        _long_enough(self.secret)
        return SubjectKeys(self, hmac.digest(salt, self.secret, "sha256"))


@dataclass(frozen=True, slots=True)
class SubjectKeys:
    """Makes the pseudonyms of one citizen for one domain. Keep it no longer than one bundle."""

    domain: Domain
    _prk: bytes = field(repr=False)

    @property
    def pseudonym(self) -> str:
        """The citizen's own pseudonym for this recipient and epoch."""
        return self._prf(_info("subject"))("subject")

    def field_prf(self, join_group: str) -> Callable[[str], str]:
        """The pseudonym function of `join_group`."""
        return self._prf(_info("field", join_group))

    def _prf(self, info: bytes) -> Callable[[str], str]:
        keyed = hmac.new(HKDFExpand(hashes.SHA256(), 32, info).derive(self._prk), digestmod="sha256")

        def prf(value: str) -> str:
            state = keyed.copy()
            state.update(value.encode())
            return base64.urlsafe_b64encode(state.digest()[:PSEUDONYM_BYTES])[:22].decode("ascii")

        return prf


def _info(*words: str) -> bytes:
    """Length-prefixed words: no two lists of words give the same bytes."""
    encoded = [word.encode() for word in ("mdb1", *words)]
    return b"".join(struct.pack(">I", len(word)) + word for word in encoded)


def _long_enough(secret: bytes) -> None:
    if len(secret) < 32:
        raise BundleError("pseudonym_secret_weak")
