"""Serves an app over real https on a free loopback port, for as long as a test needs it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from tests.authority import Authority


def free_socket() -> tuple[socket.socket, int]:
    """A bound loopback socket and its port, so that an issuer is known before its server is built."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.bind(("127.0.0.1", 0))
    return bound, int(bound.getsockname()[1])


@asynccontextmanager
async def serving(app: Any, bound: socket.socket, authority: Authority | None) -> AsyncIterator[None]:
    """Serve `app` on `bound` with the authority's certificate until the block ends; without, plain http."""
    config = uvicorn.Config(
        app,
        ssl_certfile=str(authority.certificate) if authority else None,
        ssl_keyfile=str(authority.key) if authority else None,
        proxy_headers=False,
        log_level="warning",
        lifespan="off",
        ws="none",
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        while not server.started:
            if running.done():
                await running
                raise RuntimeError("the server stopped before it served")
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await running
