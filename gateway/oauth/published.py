"""Documents that are the same for everyone until a key or setting changes: made once, served as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

MAX_AGE_SECONDS = 300


def publish(document: Any, media_type: str = "application/json") -> Callable[[Request], Awaitable[Response]]:
    """A handler that serves `document`, cacheable, with an ETag (RFC 9110 13.1.2)."""
    body = orjson.dumps(document)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}", "ETag": etag}

    async def serve(request: Request) -> Response:
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=media_type)

    return serve
