"""The event loop of the tests: the one `mydata serve` runs on, which also ends when a test's time is over."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import Any

import pytest
import uvloop

ENDING_SECONDS = 10
"""How long what ran too long may take to end once it is cancelled."""


class Loop(uvloop.Loop):
    """uvloop keeps a pipe that was read to its end, and complains of it when it is closed.

    It also only reports what a signal raises while it waits, and waits on: a test's limit comes by a signal.
    """

    def __init__(self) -> None:
        """An open loop that reads nothing."""
        super().__init__()
        self._pipes: list[asyncio.ReadTransport] = []
        self._over: BaseException | None = None

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """As uvloop does; but stop when the time of the test is over, having said where everything stands."""
        error = context.get("exception")
        if not isinstance(error, pytest.fail.Exception):
            super().call_exception_handler(context)
            return
        for task in asyncio.all_tasks(self):
            task.print_stack(file=sys.stderr)
        self._over = error
        self.stop()

    def run_until_complete(self, future: Awaitable[Any]) -> Any:
        """As uvloop does; raises the end of the test's time, what ran then being cancelled."""
        task = asyncio.ensure_future(future, loop=self)
        try:
            return super().run_until_complete(task)
        except RuntimeError:
            if self._over is None:
                raise
        over, self._over = self._over, None
        task.cancel()
        super().run_until_complete(asyncio.wait([task], timeout=ENDING_SECONDS))
        raise over

    async def connect_read_pipe(self, *arguments: Any) -> Any:
        """As uvloop does."""
        transport, protocol = await super().connect_read_pipe(*arguments)
        self._pipes.append(transport)
        return transport, protocol

    def close(self) -> None:
        """Let go of every pipe, then close."""
        if not self.is_closed():
            for pipe in self._pipes:
                pipe.close()
            self.run_until_complete(asyncio.sleep(0))
        super().close()
