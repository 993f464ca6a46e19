"""Nonces the server gives for DPoP proofs (RFC 9449 8 and 9): nobody can make proofs in advance.

Stateless: a nonce is a keyed hash of the present stretch of time, so every replica knows every nonce. One
stretch before and after the present are taken too: for clients on their way, and for clocks that differ.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import Request

from gateway.access import tell as answer_with
from gateway.keyring import base64url
from gateway.oauth.checks import text
from gateway.oauth.refusals import OAuthRefusal

STRETCH_SECONDS = 120
"""How long one nonce is given out; it is taken for at most twice as long again."""
HEADER = "DPoP-Nonce"
_PURPOSE = b"mydata dpop nonce 1"


@dataclass(frozen=True, slots=True)
class Nonces:
    """Every nonce there was or will be. Safe to share; replicas MUST have the same key."""

    key: bytes = field(repr=False)

    def current(self, now: int) -> str:
        """The nonce to tell at `now`."""
        return self._of(now // STRETCH_SECONDS)

    def take(self, nonce: object, now: int) -> None:
        """Accept the `nonce` of a proof. Raises OAuthRefusal `dpop_nonce_needed` with the one to use."""
        stretch = now // STRETCH_SECONDS
        given = str(nonce).encode() if text(nonce) else b""
        near = (stretch, stretch - 1, stretch + 1)
        if not any(hmac.compare_digest(given, self._of(one).encode()) for one in near):
            raise OAuthRefusal("dpop_nonce_needed", headers={HEADER: self._of(stretch)})

    def _of(self, stretch: int) -> str:
        message = stretch.to_bytes(8, "big")
        return base64url(hmac.new(self.key, message, hashlib.sha256).digest()[:18])


def nonces(mode: Literal["off", "required"], secret: bytes) -> Nonces | None:
    """The nonces of a gateway whose replicas share `secret`; None where the operator wants none."""
    if mode == "off":
        return None
    return Nonces(hmac.new(secret, _PURPOSE, hashlib.sha256).digest())


def tell(request: Request, given: Nonces | None, now: int) -> None:
    """Let the answer to `request` tell the nonce of now, if nonces are in use."""
    if given is not None:
        answer_with(request.scope, HEADER, given.current(now))
