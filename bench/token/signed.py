"""The requests, signed before the clock starts, the same for everybody."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.oauth_keys import Key, es256

ISSUER = "http://127.0.0.1:4000"
"""What every candidate calls itself, wherever it listens: assertions and proofs are made for it."""

CLIENT_ID = "bench-company"
KID = "k0"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Signer:
    """The company: one assertion key, one proof key. Every request has two fresh jti."""

    def __init__(self) -> None:
        """Make both keys."""
        self.assertions: Key = es256()
        self.proofs: Key = es256()

    def message(self, path: str, *, proof: bool) -> Message:
        """The next request to `path`, without its own fields yet."""
        now = int(time.time())
        claims = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": ISSUER, "iat": now, "exp": now + 300}
        assertion = self.assertions.jws({"kid": KID}, {**claims, "jti": secrets.token_urlsafe(16)})
        proved = self._proof(path, now) if proof else None
        return Message(path, assertion, proved)

    def _proof(self, path: str, now: int) -> str:
        claims = {"htm": "POST", "htu": f"{ISSUER}{path}", "iat": now, "jti": secrets.token_urlsafe(16)}
        return self.proofs.jws({"typ": "dpop+jwt", "jwk": self.proofs.jwk}, claims)


@dataclass(frozen=True, slots=True)
class Message:
    """A signed request: the assertion, and the proof where one belongs to it."""

    path: str
    assertion: str
    proof: str | None

    def encoded(self, fields: Mapping[str, str]) -> bytes:
        """The HTTP message with these fields besides."""
        body = urlencode(
            {
                **fields,
                "client_id": CLIENT_ID,
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": self.assertion,
            }
        )
        proof = f"DPoP: {self.proof}\r\n" if self.proof else ""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {ISSUER.partition('//')[2]}\r\n{proof}"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return (head + body).encode("ascii")
