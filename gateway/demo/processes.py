"""Child processes of the demo: each says in one line of JSON where it listens and ends when we end."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

_PORTS = range(10_000, 12_000)
"""Below what systems give outgoing connections."""


class ChildFailed(Exception):
    """A child did not come up; the message holds the last lines it wrote."""


class Child:
    """One server in a process of its own."""

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, ready: dict[str, Any], log: Path
    ) -> None:
        """Wrap a process that said it is ready."""
        self.name, self.process, self.ready, self.log = name, process, ready, log

    @property
    def origin(self) -> str:
        """Where the child listens, as scheme, host and port."""
        return str(self.ready["origin"])

    async def stop(self) -> None:
        """End the child: politely first, then at once."""
        if self.process.returncode is not None:
            return
        if self.process.stdin:
            self.process.stdin.close()
        self.process.terminate()
        try:
            async with asyncio.timeout(8):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


async def start(name: str, arguments: list[str], folder: Path, *, seconds: float = 60) -> Child:
    """Start `python ARGUMENTS` and wait for its line `{"ready": true, "origin": ...}`.

    Raises ChildFailed when it ends or stays silent.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        async with asyncio.timeout(seconds):
            ready = await _ready(process)
    except (TimeoutError, ValueError) as error:
        process.kill()
        await process.wait()
        last = log.read_text(errors="replace").splitlines()[-8:]
        raise ChildFailed(f"{name} did not start:\n" + "\n".join(last)) from error
    return Child(name, process, ready, log)


async def _ready(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101 - asked for with PIPE
    while line := await process.stdout.readline():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("ready"):
            return said
    raise ValueError("the process ended before it was ready")


def free_port() -> int:
    """A loopback port nobody has at this moment, and no outgoing connection is given meanwhile."""
    for port in random.SystemRandom().sample(_PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ChildFailed("no free port among a hundred")
