"""A local OPA server with one bundle, for `mydata serve` beside the gateway and for tests.

The child listens on loopback only and ends with its parent (Linux: the kernel sees to it).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import aiohttp

from gateway.policy.bundle import PolicyBundle
from gateway.policy.errors import PolicyUnavailable

_PR_SET_PDEATHSIG = 1


class LocalOpa:
    """`async with LocalOpa(binary, bundle) as opa:` a running OPA at `opa.url` that answers on `bundle`."""

    def __init__(
        self,
        binary: Path,
        bundle: PolicyBundle,
        *,
        start_seconds: float = 20.0,
        unix_socket: Path | None = None,
    ) -> None:
        """Run `binary` (OPA >= 1.20.2) when entered; listen on `unix_socket` as well when given."""
        self._binary = binary
        self._bundle = bundle
        self._start_seconds = start_seconds
        self._socket = unix_socket
        self._process: asyncio.subprocess.Process | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.url = ""

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._process.pid if self._process else None

    async def start(self) -> LocalOpa:
        """Start and wait until the bundle is active; raises PolicyUnavailable when it is not in time."""
        folder = self._folder = tempfile.TemporaryDirectory(prefix="mydata-opa-")
        file = Path(folder.name) / "mydata.tar.gz"
        await asyncio.to_thread(file.write_bytes, self._bundle.tarball())
        try:
            for _attempt in range(3):  # another process may take the free port first
                port = _free_port()
                self.url = f"http://127.0.0.1:{port}"
                await self._spawn(file, port)
                if await self._ready():
                    return self
                await self._stop_process()
            raise PolicyUnavailable("start", f"{self._binary} did not become ready")
        except BaseException:
            await self.stop()
            raise

    async def ended(self) -> None:
        """Wait until the child has ended, however it did."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """End the child and remove its files. May be called twice."""
        await self._stop_process()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    async def __aenter__(self) -> LocalOpa:
        """Start."""
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    async def _spawn(self, file: Path, port: int) -> None:
        listening = [f"--addr=127.0.0.1:{port}"]
        if self._socket is not None:
            listening += [f"--addr=unix://{self._socket}", "--unix-socket-perm=600"]
        try:
            self._process = await asyncio.create_subprocess_exec(
                str(self._binary),
                *("run", "--server", "--log-level=error", "--disable-telemetry", "--bundle", str(file)),
                *listening,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={
                    "PATH": os.defpath,
                    "HOME": str(file.parent),
                    "GOGC": "400",
                },
                preexec_fn=_end_with_parent(),
            )
        except OSError as error:
            raise PolicyUnavailable("start", f"{self._binary}: {error.strerror}") from error

    async def _ready(self) -> bool:
        process = self._process
        assert process is not None  # noqa: S101 - only called after _spawn
        deadline = asyncio.get_running_loop().time() + self._start_seconds
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as session:
            while process.returncode is None and asyncio.get_running_loop().time() < deadline:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                    async with session.get(f"{self.url}/health?bundles=true") as answer:
                        if answer.status == 200:
                            return True
                await asyncio.sleep(0.05)
        return False

    async def _stop_process(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end_with_parent() -> Callable[[], None] | None:
    """What the child runs before OPA: ask Linux to end it when its parent ends. Elsewhere nothing."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) and None
