"""Run one sandbox server in a process of its own: bind, say so in one line of JSON, end with the parent."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files of a server's certificate chain and private key."""

    certificate: str
    key: str


Build = Callable[[str], tuple[Starlette, Mapping[str, Any]]]
"""From the origin the server will have: the application, and what else its ready line tells."""


def run(build: Build, port: int, tls: Certificate | None = None) -> int:
    """Serve on 127.0.0.1 until SIGTERM, SIGINT or the end of standard input; then 0.

    Port 0 takes any free one. Prints `{"ready": true, "origin": ..., ...}` once requests are answered.
    """
    # IPPROTO_TCP named: asyncio sets TCP_NODELAY only then; without it every answer waits 40 ms for an ACK.
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        origin = f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}"
        app, told = build(origin)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=2,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        asyncio.run(_serve(_Server(config, {"ready": True, "origin": origin, **told}), listening))
    return 0


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(json.dumps(self._ready) + "\n")
            sys.stdout.flush()


async def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    orphaned = asyncio.create_task(_parent_gone(server))
    await server.serve(sockets=[listening])
    orphaned.cancel()


async def _parent_gone(server: uvicorn.Server) -> None:
    """Standard input ends when the process that started us ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while await reader.read(4096):
        pass
    server.should_exit = True
