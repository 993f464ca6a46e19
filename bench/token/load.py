"""The load: keep-alive connections that each send the next request as soon as they have an answer."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass
class Answered:
    """What came back: how often each status, the first body of each, and how long it took in all."""

    statuses: dict[int, int] = field(default_factory=Counter)
    bodies: dict[int, bytes] = field(default_factory=dict)
    seconds: float = 0.0


async def send(port: int, messages: Iterable[bytes], *, connections: int = 16) -> Answered:
    """Send every message once to 127.0.0.1:`port`; a lost connection raises OSError or EOFError."""
    answered, source, started = Answered(), iter(messages), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_connection(port, source, answered))
    answered.seconds = time.perf_counter() - started
    return answered


async def _connection(port: int, source: Iterator[bytes], answered: Answered) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for message in source:
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            if length is None:
                raise EOFError("an answer without Content-Length")
            body = await reader.readexactly(int(length[1]))
            status = int(head[9:12])
            answered.statuses[status] += 1
            answered.bodies.setdefault(status, body)
    finally:
        writer.close()
        await writer.wait_closed()
