"""Browser sessions of scoped accounts (`ledger_readers`): a signed cookie, nothing stored.

The cookie names the account and its end, under a MAC that also covers the account's token: whoever changes
the token in the file ends its sessions. `SameSite=Strict`: no other site can make a browser look.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from starlette.requests import Request
from starlette.responses import Response

from consent.clock import Clock
from gateway.ledger.readers import Reader, Readers

SECONDS = 1800
_COOKIE = re.compile(r"([a-z0-9-]{2,63})\.([0-9]{1,12})\.([0-9a-f]{64})", re.ASCII)


class ReaderSessions:
    """Opens, finds and ends sessions. Replicas with the same `secret` accept each other's."""

    def __init__(self, readers: Readers, secret: bytes, clock: Clock, *, secure: bool) -> None:
        """Sign with a key derived from `secret` (32 random bytes or more); cookies for https if `secure`."""
        self._readers, self._clock, self._secure = readers, clock, secure
        self._key = hmac.digest(secret, b"mydata reader session 1", "sha256")
        self.cookie = "__Host-mydata-reader" if secure else "mydata-reader"

    def put(self, response: Response, token: str) -> Reader:
        """Sign the browser in with an account's token. Raises Problem `reader_unknown`."""
        reader = self._readers.known(token)
        end = int(self._clock().timestamp()) + SECONDS
        value = f"{reader.id}.{end}.{self._mac(reader, end)}"
        response.set_cookie(
            self.cookie,
            value,
            max_age=SECONDS,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )
        return reader

    def find(self, request: Request) -> Reader | None:
        """The account of this browser; None for no session, one that is over or one nobody signed."""
        found = _COOKIE.fullmatch(request.cookies.get(self.cookie, ""))
        reader = self._readers.named(found[1]) if found else None
        if found is None or reader is None:
            return None
        mine = hmac.compare_digest(found[3], self._mac(reader, int(found[2])))
        return reader if mine and self._clock().timestamp() < int(found[2]) else None

    def take_back(self, response: Response) -> None:
        """Sign the browser out."""
        response.delete_cookie(self.cookie, path="/", secure=self._secure, httponly=True, samesite="strict")

    def _mac(self, reader: Reader, end: int) -> str:
        said = f"{reader.id}\0{reader.token_sha256}\0{end}".encode()
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()
