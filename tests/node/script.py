"""A JavaScript program that trusts only this run's authority and talks one JSON object a line."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.authority import Authority
from tests.node.installed import install, unavailable


class Script:
    """A running program. What it complains about fails the test that listens."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def hear(self) -> dict[str, Any]:
        """Its next message; fails with what it complained about."""
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            line = await self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            pytest.fail((await self.process.stderr.read()).decode())
        message: dict[str, Any] = json.loads(line)
        return message

    def say(self, message: dict[str, Any]) -> None:
        """Tell it something."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")


@asynccontextmanager
async def running(name: str, authority: Authority) -> AsyncIterator[Script]:
    """Run tests/node/`name` until the block ends; skips the test where there is no node."""
    if reason := unavailable():
        pytest.skip(reason)
    pipe = asyncio.subprocess.PIPE
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(authority.bundle)}
    process = await asyncio.create_subprocess_exec(
        "node", name, cwd=install(), stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    )
    try:
        yield Script(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
