"""Serves an app on free loopback ports, plain or over real https, for as long as a test needs it."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import socket
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import uvicorn

from connectors.trust import machine_trust
from tests.authority import Authority

_PORTS = range(12_000, 24_000)
"""Below what systems give outgoing connections."""
_LEFT = range(24_000, 32_000)
"""For children, who bind later: of each thousand one test worker takes, so none takes another's meanwhile."""
TICK_SECONDS = 0.1
GRACE_SECONDS = 2
_CHANCE = random.SystemRandom()


def _left() -> Iterator[int]:
    """The ports of this worker, in turn, from any of them on."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = _LEFT[worker % 8 * 1_000 :][:1_000]
    first = _CHANCE.randrange(len(own))
    return itertools.cycle([*own[first:], *own[:first]])


_TURN = _left()


def listening() -> socket.socket:
    """A bound loopback socket on any free port, so that an issuer is known before its server is built."""
    return _bound(_CHANCE.sample(_PORTS, 100))


def left_port() -> int:
    """A free loopback port for a child to listen on, also after a restart; no test takes it meanwhile."""
    with _bound(itertools.islice(_TURN, 100)) as probe:
        return port_of(probe)


def _bound(ports: Iterable[int]) -> socket.socket:
    # IPPROTO_TCP named: asyncio sets TCP_NODELAY only then.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # No SO_REUSEADDR: with it two processes may bind one port, and the second to listen fails.
    for port in ports:
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


def outside() -> httpx.AsyncClient:
    """The HTTP client of somebody outside the gateway, who waits half a minute."""
    return httpx.AsyncClient(timeout=30, trust_env=False, verify=machine_trust())


class PromptServer(uvicorn.Server):
    """uvicorn's server, which ends when it is told to: uvicorn itself looks ten times a second, then waits.

    A suite of thousands of servers waits minutes for that.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def end(self) -> None:
        """Begin to shut down."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        """What uvicorn does ten times a second (the Date header), until told to end."""
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close every connection and let answers under way finish, for two seconds at most."""
        for server in self.servers:
            server.close()
        for bound in sockets or ():
            bound.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
                    await asyncio.sleep(0.002)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()


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
    )
    server = PromptServer(config)
    running = asyncio.create_task(server.serve(sockets=list(bound)))
    try:
        while not server.started:
            if running.done():
                await running
                raise RuntimeError("the server stopped before it served")
            await asyncio.sleep(0.005)
        yield
    finally:
        server.end()
        await running
