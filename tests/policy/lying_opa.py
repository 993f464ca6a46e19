"""A server that speaks like OPA and can be told to lie, stall or break off."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class LyingOpa:
    """Answers `body` with `status` after `delay` seconds; `asked` keeps what it was asked.

    `date`: the time it tells instead of the machine's.
    """

    revision: str
    body: Callable[[dict[str, Any]], bytes] = lambda _question: b"{}"
    status: int = 200
    delay: float = 0.0
    break_off: int = 0
    date: str | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def says(self, result: Any, *, revision: str | None = None) -> None:
        """Answer `result` as a decision on `revision` (the right one when not given)."""
        bundles = {"mydata": {"revision": self.revision if revision is None else revision}}
        reply = {"provenance": {"version": "1.20.2", "bundles": bundles}, "result": result}
        self.body = lambda _question: json.dumps(reply).encode()

    async def _well(self, _request: web.Request) -> web.Response:
        return web.json_response({})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append({"query": dict(request.query), "input": json.loads(await request.read())["input"]})
        if self.break_off:
            self.break_off -= 1
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        await asyncio.sleep(self.delay)
        told = {} if self.date is None else {"Date": self.date}
        return web.Response(body=self.body(self.asked[-1]["input"]), status=self.status, headers=told)


@asynccontextmanager
async def lying_opa(revision: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[LyingOpa]:
    """Serve a `LyingOpa` on a free loopback port, over https with `tls`."""
    opa = LyingOpa(revision)
    app = web.Application()
    app.router.add_get("/health", opa._well)
    app.router.add_post("/v1/data/mydata/transfer/decision", opa._answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    opa.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield opa
    finally:
        await runner.cleanup()
