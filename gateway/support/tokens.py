"""Support tokens (지원-101): what an account's secret is changed for, good for a month, never renewed.

A JWS (HS256) only this gateway makes and reads: nothing is stored, and replicas with the same secret accept
each other's. Its key covers the account's secret, so whoever changes that in the file ends every token of it.
A support token may last a year at most and has no refresh token (self-check 1-1, 1-5).
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from consent.clock import Clock
from gateway.errors import Problem
from gateway.ledger.readers import Reader, Readers, Scope, allowed
from gateway.oauth import jws

SECONDS = 30 * 86_400
MANAGE = "manage"
TYP = "support+jwt"
LONGEST = 2_048


@dataclass(frozen=True, slots=True)
class SupportTokens:
    """Makes and reads support tokens. Safe for any number of tasks: it holds nothing but a key."""

    readers: Readers
    secret: bytes = field(repr=False)
    issuer: str
    clock: Clock

    def issue(self, reader: Reader) -> str:
        """A token of the account."""
        now = int(self.clock().timestamp())
        claims: dict[str, Any] = {"iss": self.issuer, "aud": reader.id, "scope": MANAGE}
        claims |= {"jti": secrets.token_urlsafe(16), "iat": now, "exp": now + SECONDS}
        return jwt.encode({"alg": "HS256", "typ": TYP}, claims, self._key(reader), algorithms=["HS256"])

    def account(self, client_id: str, secret: str) -> Reader:
        """The account of that id and secret. Raises Problem `reader_unknown`."""
        reader = self.readers.known(secret)
        if not hmac.compare_digest(reader.id.encode(), client_id.encode("utf-8", "replace")):
            raise Problem("reader_unknown")
        return reader

    def admit(self, authorization: str | None, scope: Scope) -> Reader:
        """The account of a bearer support token. Raises Problem `reader_unknown`, `reader_scope`."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise Problem("reader_unknown")
        return allowed(self._of(token), scope)

    def _of(self, token: str) -> Reader:
        try:
            named = jws.parse(token, longest=LONGEST).claims.get("aud")
            reader = self.readers.named(named) if isinstance(named, str) else None
            if reader is None:
                raise Problem("reader_unknown")
            read = jwt.decode(token, self._key(reader), algorithms=["HS256"])
        except (JoseError, ValueError):
            raise Problem("reader_unknown") from None
        claims, now = read.claims, self.clock().timestamp()
        meant = (claims.get("iss"), claims.get("scope"), read.header.get("typ"))
        if meant != (self.issuer, MANAGE, TYP) or not now < claims.get("exp", 0):
            raise Problem("reader_unknown")
        return reader

    def _key(self, reader: Reader) -> OctKey:
        about = f"mydata support token 1\0{reader.id}\0{reader.token_sha256}".encode()
        return OctKey.import_key(hmac.digest(self.secret, about, "sha256"))
