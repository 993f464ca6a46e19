"""Response headers that every answer carries; a page may replace one by setting it itself.

Strict Content-Security-Policy with Trusted Types, and `no-store` unless a door says otherwise: a
personal page must never rest in a cache, so forgetting must be safe.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

IMMUTABLE = "public, max-age=31536000, immutable"
"""Cache-Control of a file whose name holds the hash of its content."""

_PAGE_POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}

_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"

_ALWAYS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "publickey-credentials-get=(self), camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


def page_policy() -> str:
    """The Content-Security-Policy of every HTML page.

    `form-action 'self'` suffices because no form of ours is answered with a redirect to another
    origin: browsers check the whole chain, so the way back to a client is a link, never a redirected POST.
    """
    return "; ".join(f"{name} {value}" for name, value in _PAGE_POLICY.items())


RawHeaders = list[tuple[bytes, bytes]]


class HeaderSet:
    """The headers every answer carries, ready to send. `secure`: the public origin is https; adds HSTS."""

    def __init__(self, *, secure: bool) -> None:
        """Encode them once."""
        always = dict(_ALWAYS)
        if secure:
            always["strict-transport-security"] = "max-age=63072000; includeSubDomains"
        self._always = [(name.encode(), value.encode()) for name, value in always.items()]
        self._page = (_POLICY, page_policy().encode())
        self._data = (_POLICY, _DATA_POLICY.encode())

    def complete(self, headers: RawHeaders) -> RawHeaders:
        """`headers` of an answer and what is missing; what it has set itself stays."""
        given = {name.lower(): value for name, value in headers}
        is_page = given.get(b"content-type", b"").startswith(b"text/html")
        wanted = (*self._always, self._page if is_page else self._data)
        return [*headers, *(pair for pair in wanted if pair[0] not in given)]


_POLICY = b"content-security-policy"


class SecurityHeaders:
    """ASGI middleware that adds the header set where the answer has not set the header itself."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        """Wrap `app`; `secure` as in `HeaderSet`."""
        self._app = app
        self._set = HeaderSet(secure=secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the headers of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._set.complete(list(message.get("headers", ())))
            await send(message)

        await self._app(scope, receive, completed)
