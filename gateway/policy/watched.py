"""An OPA that the gateway itself starts beside it, watches, and starts again when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from time import time

import structlog

from gateway.policy.bundle import PolicyBundle
from gateway.policy.decision import Decision
from gateway.policy.engine import EngineHealth
from gateway.policy.errors import PolicyUnavailable
from gateway.policy.opa import OpaAddress, OpaEngine
from gateway.policy.question import Question
from gateway.policy.server import LocalOpa

LONGEST_PAUSE = 5.0

_log = structlog.get_logger(__name__)


class WatchedOpaEngine:
    """A `PolicyEngine` on a child OPA with one bundle. While the child is away every answer is a failure."""

    def __init__(
        self,
        binary: Path,
        bundle: PolicyBundle,
        *,
        timeout_seconds: float = 1.0,
        now: Callable[[], float] = time,
    ) -> None:
        """Use `start` to make one that runs. `now` as of `OpaEngine`."""
        self._binary = binary
        self._bundle = bundle
        self._timeout = timeout_seconds
        self._now = now
        self._server: LocalOpa | None = None
        self._engine: OpaEngine | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The child's own name, once it has answered."""
        return self._engine.name if self._engine else "opa"

    @property
    def revision(self) -> str:
        """The bundle's."""
        return self._bundle.revision

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._server.pid if self._server else None

    async def start(self) -> WatchedOpaEngine:
        """Start the child and wait until it is ready; raises PolicyUnavailable."""
        await self._begin()
        self._watch = asyncio.create_task(self._keep(), name="policy-opa")
        return self

    async def decide(self, question: Question) -> Decision:
        """Ask the child; raises PolicyUnavailable while there is none."""
        if self._engine is None:
            raise PolicyUnavailable("restarting")
        return await self._engine.decide(question)

    async def health(self) -> EngineHealth:
        """The child's."""
        if self._engine is None:
            return EngineHealth(False, self.name, self.revision, "restarting")
        return await self._engine.health()

    async def close(self) -> None:
        """End the child. May be called twice."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait((self._watch,))
            self._watch = None
        await self._end()

    async def _begin(self) -> None:
        server = await LocalOpa(self._binary, self._bundle).start()
        self._server = server
        address = OpaAddress(server.url, timeout_seconds=self._timeout)
        self._engine = OpaEngine(address, self._bundle.revision, now=self._now)

    async def _end(self) -> None:
        engine, self._engine = self._engine, None
        server, self._server = self._server, None
        if engine is not None:
            await engine.close()
        if server is not None:
            await server.stop()

    async def _keep(self) -> None:
        pause = 0.1
        while True:
            if self._server is not None:
                await self._server.ended()
                _log.error("policy.opa_ended", revision=self.revision)
                await self._end()
            try:
                await self._begin()
                pause = 0.1
            except PolicyUnavailable as error:
                _log.error("policy.opa_not_started", error=str(error))
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
