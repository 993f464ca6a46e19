"""Documents that are the same for everyone until a key or setting changes: made once, served as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.keyring import Keyring, Signing

MAX_AGE_SECONDS = 300
"""How long anyone may keep a document; a new key signs only when it was published for longer than this."""

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Document:
    body: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, document: Any, media_type: str) -> _Document:
        body = orjson.dumps(document)
        return cls(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')

    def answer(self, request: Request) -> Response:
        """The document, or 304 when the asker has it (RFC 9110 13.1.2)."""
        headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}", "ETag": self.etag}
        known = {
            one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")
        }
        if known & {self.etag, "*"}:
            return Response(status_code=304, headers=headers)
        return Response(self.body, headers=headers, media_type=self.media_type)


def publish(document: Any, media_type: str = "application/json") -> Handler:
    """A handler that serves `document`, cacheable, with an ETag."""
    made = _Document.of(document, media_type)

    async def serve(request: Request) -> Response:
        return made.answer(request)

    return serve


def publish_keys(signing: Signing, document: Callable[[Keyring], Any] = Keyring.jwks) -> Handler:
    """A handler that serves the JWK set of the newest ring (RFC 7517 5), made once a ring."""
    ring, made = signing.newest, _Document.of(document(signing.newest), "application/jwk-set+json")

    async def serve(request: Request) -> Response:
        nonlocal ring, made
        if signing.newest is not ring:
            ring = signing.newest
            made = _Document.of(document(ring), "application/jwk-set+json")
        return made.answer(request)

    return serve
