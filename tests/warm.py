"""Gateway processes that start at once: forked from one that has imported everything and done nothing.

`mydata serve` takes two seconds of a core only to import what it is made of, and the suite starts and kills
hundreds. Each process made here is one of its own all the same: pid, memory, files; SIGKILL ends it.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

ALSO = (
    "gateway.app",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_ROOT = Path(__file__).resolve().parents[1]


class WarmProcess:
    """What tests use of asyncio's Process, for a command that was forked."""

    def __init__(self, pid: int, forker: Streams, pipes: tuple[Any, asyncio.StreamReader]) -> None:
        self.pid, self.returncode = pid, None
        self.stdin, self.stdout = pipes
        self._ended = asyncio.create_task(self._wait(*forker))

    async def ready(self, log: Path, seconds: float = 60) -> dict[str, Any]:
        """Its line `{"ready": true, "origin": ...}`; fails with what it wrote to `log` if there is none."""
        async with asyncio.timeout(seconds):
            while line := await self.stdout.readline():
                with suppress(ValueError):
                    said: dict[str, Any] = json.loads(line)
                    if said.get("ready"):
                        return said
        raise AssertionError(await asyncio.to_thread(log.read_text))

    def kill(self) -> None:
        """SIGKILL."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM."""
        self._signal(signal.SIGTERM)

    async def wait(self) -> int:
        """The exit code, minus the signal's number if one ended it."""
        return await asyncio.shield(self._ended)

    def _signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def _wait(self, told: asyncio.StreamReader, kept: asyncio.StreamWriter) -> int:
        self.returncode = int(await told.readline())
        kept.close()
        self.stdin.close()
        return self.returncode


async def start_mydata(arguments: list[str], log: Path) -> WarmProcess:
    """Run `mydata ARGUMENTS` with pipes as standard input and output, its standard error in `log`."""
    return await start("gateway.cli", *arguments, log=log)


async def start(module: str, *arguments: str, log: Path | None = None) -> WarmProcess:
    """Run `python -m MODULE ARGUMENTS`, as `start_mydata`; without `log` its standard error is this one's."""
    theirs_in, ours_in = os.pipe()
    ours_out, theirs_out = os.pipe()
    asking = socket.socket(socket.AF_UNIX)
    asking.connect(await asyncio.to_thread(_forker))
    with log.open("wb") if log else os.fdopen(os.dup(2), "wb") as errors:
        socket.send_fds(
            asking, [json.dumps([module, *arguments]).encode()], [theirs_in, theirs_out, errors.fileno()]
        )
    os.close(theirs_in)
    os.close(theirs_out)
    told, kept = await asyncio.open_connection(sock=asking)
    pid = int(await told.readline())
    out = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(out), os.fdopen(ours_out, "rb")
    )
    return WarmProcess(pid, (told, kept), (os.fdopen(ours_in, "wb"), out))


@cache
def _forker() -> str:
    """The socket of this test process's forker, which ends with it."""
    folder = tempfile.TemporaryDirectory(prefix="mydata-warm-")
    address = f"{folder.name}/socket"
    command = [sys.executable, "-m", "tests.warm", address]
    running = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(folder.cleanup)
    atexit.register(running.kill)
    assert running.stdout is not None
    assert running.stdout.readline() == b"warm\n"
    return address


def _serve(address: str) -> None:
    """Import everything, then fork for each who asks, until standard input ends."""
    for module in (*ALSO, *_commands()):
        importlib.import_module(module)
    assert threading.active_count() == 1, "a process with threads must not be forked"
    gc.collect()
    gc.freeze()
    woken, wakes = os.pipe2(os.O_NONBLOCK)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(16)
    waiting = selectors.DefaultSelector()
    for readable in (listening.fileno(), woken, sys.stdin.fileno()):
        waiting.register(readable, selectors.EVENT_READ)
    askers: dict[int, socket.socket] = {}
    os.write(1, b"warm\n")
    while True:
        for key, _ in waiting.select():
            if key.fd == sys.stdin.fileno():
                return
            if key.fd == woken:
                os.read(woken, 4096)
                _tell_ended(askers)
            else:
                _fork(listening, askers, (woken, wakes, waiting.fileno()))


def _fork(listening: socket.socket, askers: dict[int, socket.socket], own: tuple[int, ...]) -> None:
    asker, _ = listening.accept()
    asked, files, _, _ = socket.recv_fds(asker, 1 << 16, 3)
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, file in enumerate(files):
            os.dup2(file, number)
        for file in (
            *files,
            *own,
            asker.fileno(),
            listening.fileno(),
            *(s.fileno() for s in askers.values()),
        ):
            os.close(file)
        _become(*json.loads(asked))
    for file in files:
        os.close(file)
    askers[pid] = asker
    asker.sendall(b"%d\n" % pid)


def _become(module: str, *arguments: str) -> None:
    code = 1
    try:
        sys.argv = [module, *arguments]
        sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]
        sys.modules.pop(module, None)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


def _tell_ended(askers: dict[int, socket.socket]) -> None:
    while askers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with suppress(OSError), askers.pop(pid) as asker:
            asker.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _commands() -> list[str]:
    import gateway.commands

    return [f"gateway.commands.{module.name}" for module in pkgutil.iter_modules(gateway.commands.__path__)]


if __name__ == "__main__":
    _serve(sys.argv[1])
