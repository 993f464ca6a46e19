"""Who is at the other end of the connection, kept apart from who a proxy says the caller is.

`X-Forwarded-For` of a trusted proxy replaces the caller's address for rate limits. Whether a proxy may be
believed at all is decided by the real peer, which no header can change; so that is noted before all else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_KEY = "mydata.peer"


class Peer:
    """ASGI middleware, the outermost. The server in front of it MUST NOT apply forwarding headers itself."""

    def __init__(self, app: ASGIApp, *, trusted: Sequence[str]) -> None:
        """Let forwarding headers count when the peer is one of `trusted`, else ignore them."""
        inner: Any = app
        self._next: Any = ProxyHeadersMiddleware(inner, list(trusted)) if trusted else inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the peer, then go on."""
        if scope["type"] == "http":
            client = scope.get("client")
            scope[_KEY] = client[0] if client else None
        await self._next(scope, receive, send)


def peer_of(request: HTTPConnection) -> str | None:
    """The address the connection came from; None where `Peer` did not see it, and nothing may be trusted."""
    peer: str | None = request.scope.get(_KEY)
    return peer
