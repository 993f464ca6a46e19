"""No other site may act through a citizen's browser: the fetch-metadata check, without tokens.

Browsers name the initiator of a request in `Sec-Fetch-Site` (every current one) or `Origin`; neither
can be set by a page's script. A request with neither header does not come from a browser that could
carry a citizen's cookie across sites: the cookie is SameSite=Lax, and forms hold a single-use id.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import Problem

Refusal = Callable[[Request, Problem], Awaitable[Response]]
"""Turns a problem into the answer its reader understands."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})


class CrossOrigin:
    """ASGI middleware: unsafe methods pass only from our own origin, or from outside any browser."""

    def __init__(
        self, app: ASGIApp, *, origin: str, refuse: Refusal, open_paths: frozenset[str] = frozenset()
    ) -> None:
        """Guard `app`, whose public origin is `origin`.

        `open_paths` are doors that read no cookie and may be called from any origin (`/token`).
        """
        self._app = app
        self._origin = origin
        self._refuse = refuse
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with `cross_origin`."""
        if scope["type"] == "http" and not self._may_pass(scope):
            response = await self._refuse(Request(scope, receive), Problem("cross_origin"))
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        if scope["method"] in _SAFE_METHODS or scope["path"] in self._open_paths:
            return True
        sites = [value for name, value in scope["headers"] if name == b"sec-fetch-site"]
        if sites:
            return len(sites) == 1 and sites[0].decode("latin-1") in _OWN_SITES
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        return not origins or (len(origins) == 1 and origins[0].decode("latin-1") == self._origin)
