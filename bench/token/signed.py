"""The requests, signed before the clock starts: complete HTTP messages in a file, the same for everybody."""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from tests.oauth_keys import Key, es256

ISSUER = "http://127.0.0.1:4000"
"""What every candidate calls itself, wherever it listens: assertions and proofs are made for it."""

CLIENT_ID = "bench-company"
KID = "k0"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LENGTH = struct.Struct(">I")


class Signer:
    """The company: one assertion key, one proof key. Every request has two fresh jti."""

    def __init__(self) -> None:
        """Make both keys."""
        self.assertions: Key = es256()
        self.proofs: Key = es256()

    def write(self, file: Path, count: int) -> None:
        """Put `count` requests into `file`; they are good for a minute (DPoP's iat)."""
        with file.open("wb") as out:
            for _ in range(count):
                message = self._request(int(time.time()))
                out.write(_LENGTH.pack(len(message)) + message)

    def _request(self, now: int) -> bytes:
        claims = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": ISSUER, "iat": now, "exp": now + 300}
        assertion = self.assertions.jws({"kid": KID}, {**claims, "jti": secrets.token_urlsafe(16)})
        proof = self.proofs.jws(
            {"typ": "dpop+jwt", "jwk": self.proofs.jwk},
            {"htm": "POST", "htu": f"{ISSUER}/token", "iat": now, "jti": secrets.token_urlsafe(16)},
        )
        fields = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "scope": "company"}
        fields |= {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": assertion}
        body = urlencode(fields)
        head = (
            f"POST /token HTTP/1.1\r\nHost: {ISSUER.partition('//')[2]}\r\nDPoP: {proof}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return (head + body).encode("ascii")


def read(file: Path) -> Iterator[bytes]:
    """The requests of `file`, one after the other."""
    with file.open("rb") as stored:
        while length := stored.read(_LENGTH.size):
            yield stored.read(_LENGTH.unpack(length)[0])
