"""Prepared messages over kept connections to several gateway processes, all sent at the same moment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

ACCEPTED = (200, 201)


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 where the process died before it answered."""

    status: int
    body: bytes = b""

    @property
    def accepted(self) -> bool:
        """Whether the request was done."""
        return self.status in ACCEPTED

    @property
    def json(self) -> dict[str, Any]:
        """The body, read."""
        read: dict[str, Any] = json.loads(self.body)
        return read


LOST = Answer(0)


class Line:
    """One kept connection to one process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, origin: str) -> Line:
        """Connect."""
        url = urlsplit(origin)
        return cls(*await asyncio.open_connection(url.hostname, url.port))

    async def send(self, message: bytes) -> Answer:
        """Send the bytes and read one answer."""
        try:
            self._writer.write(message)
            head = await self._reader.readuntil(b"\r\n\r\n")
            status, length = int(head[9:12]), 0
            for field in head.lower().split(b"\r\n"):
                if field.startswith(b"content-length:"):
                    length = int(field[15:])
            return Answer(status, await self._reader.readexactly(length))
        except (OSError, asyncio.IncompleteReadError):
            return LOST

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return


class Crowd:
    """Sixteen connections, shared out evenly among the processes that live."""

    SIZE = 16

    def __init__(self) -> None:
        self._lines: list[Line] = []

    async def gather(self, origins: Sequence[str]) -> None:
        """Hang up, and connect to these."""
        await self.leave()
        self._lines = [await Line.to(origins[n % len(origins)]) for n in range(self.SIZE)]

    async def leave(self) -> None:
        """Hang up everywhere."""
        for line in self._lines:
            await line.close()
        self._lines = []

    async def send(self, message: bytes) -> list[Answer]:
        """The same bytes down every line at once; every answer."""
        return await asyncio.gather(*(line.send(message) for line in self._lines))

    async def each(self, messages: Sequence[bytes]) -> list[Answer]:
        """One of these down every line at once; every answer."""
        pairs = zip(self._lines, messages, strict=True)
        return await asyncio.gather(*(line.send(one) for line, one in pairs))


def message(
    method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
) -> bytes:
    """A whole HTTP/1.1 request, as it travels."""
    parts = urlsplit(url)
    body = b"" if form is None else urlencode(form).encode()
    fields = {"Host": parts.netloc, **headers}
    if form is not None:
        fields |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    lines = [f"{method} {parts.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
