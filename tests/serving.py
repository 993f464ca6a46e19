"""Serves an app on free loopback ports, plain or over real https, for as long as a test needs it."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from tests.authority import Authority

_PORTS = range(12_000, 32_000)
"""Below what systems give outgoing connections: a port left for a child to take is not taken meanwhile."""
_CHANCE = random.SystemRandom()


def listening() -> socket.socket:
    """A bound loopback socket on any free port, so that an issuer is known before its server is built."""
    # IPPROTO_TCP named: asyncio sets TCP_NODELAY only then.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for port in _CHANCE.sample(_PORTS, 100):
        try:
            bound.bind(("127.0.0.1", port))
        except OSError:
            continue
        return bound
    raise RuntimeError("no free port among a hundred")


def port_of(bound: socket.socket) -> int:
    """The port of a bound socket."""
    return int(bound.getsockname()[1])


def origin_of(bound: socket.socket) -> str:
    """The plain http origin of a bound socket."""
    return f"http://127.0.0.1:{port_of(bound)}"


@asynccontextmanager
async def serving(
    app: Any, bound: Sequence[socket.socket], authority: Authority | None = None, *, lifespan: bool = False
) -> AsyncIterator[None]:
    """Serve `app` on these sockets until the block ends: with the authority's certificate, or plain http."""
    config = uvicorn.Config(
        app,
        ssl_certfile=str(authority.certificate) if authority else None,
        ssl_keyfile=str(authority.key) if authority else None,
        proxy_headers=False,
        log_level="warning",
        access_log=False,
        lifespan="on" if lifespan else "off",
        ws="none",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=list(bound)))
    try:
        while not server.started:
            if running.done():
                await running
                raise RuntimeError("the server stopped before it served")
            await asyncio.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        await running
