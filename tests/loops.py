"""The event loop of the tests: the one `mydata serve` runs on, which lets go of what it read by itself."""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop


class Loop(uvloop.Loop):
    """uvloop keeps a pipe that was read to its end, and complains of it when it is closed."""

    def __init__(self) -> None:
        """An open loop that reads nothing."""
        super().__init__()
        self._pipes: list[asyncio.ReadTransport] = []

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
