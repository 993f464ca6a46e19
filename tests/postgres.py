"""A throw-away PostgreSQL cluster of the machine's own binaries, run as an unprivileged user."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MINIMUM = 15


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres` of version 15 or newer, or None."""
    found = [Path(p).resolve().parent for p in (shutil.which("initdb"),) if p]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next(
        (folder for folder in found if (folder / "postgres").exists() and _version(folder) >= MINIMUM), None
    )


def _version(folder: Path) -> int:
    text = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    match = re.search(r"(\d+)", text)
    return int(match.group(1)) if match else 0


class Server:
    """A cluster that can be stopped at once, as by a power cut of the process, and started again."""

    def __init__(self, folder: Path, home: Path, user: str | None, options: list[str]) -> None:
        self._folder, self._user, self._options = folder, user, options
        self.home = home
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, recover if need be, and wait until it answers."""
        options = (word for option in self._options for word in ("-c", option))
        command = [str(self._folder / "postgres"), "-D", str(self.home / "data"), "-k", str(self.home)]
        with (self.home / "log").open("ab") as log:
            self._running = subprocess.Popen(
                [*command, *options], stdout=log, stderr=log, user=self._user, cwd=self.home
            )
        _wait(self._folder, self.home)

    def ended(self) -> bool:
        """Whether it ended without being asked to: it does when recovery finds no room."""
        return self._running is not None and self._running.poll() is not None

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop; SIGQUIT is PostgreSQL's immediate stop: no checkpoint, recovery at the next start."""
        if self._running is not None:
            self._running.send_signal(how)
            self._running.wait(20)
            self._running = None


@contextmanager
def server(*, fsync: bool = False, megabytes: int | None = None) -> Iterator[Server]:
    """Start a cluster on a unix socket only; stop and delete it afterwards.

    With `megabytes` it has a disk of its own, of that size. Raises PermissionError for who may mount none.
    """
    folder = binaries()
    if folder is None:
        raise FileNotFoundError("no PostgreSQL binaries >= 15 on this machine")
    home = Path(tempfile.mkdtemp(prefix="mydata-pg-", dir="/tmp"))
    made: list[object] = [folder / "initdb", "-D", home / "data", "-U", "mydata", "-A", "trust"]
    options = ["listen_addresses=", "max_connections=200", "shared_buffers=64MB"]
    if megabytes is not None:
        _mount(home, megabytes)
        made.append("--wal-segsize=1")
        options += ["min_wal_size=2MB", "max_wal_size=4MB"]
    user = _unprivileged(home)
    running = Server(folder, home, user, [*options, f"fsync={'on' if fsync else 'off'}"])
    try:
        _run([*made, "-E", "UTF8", "--no-sync"], user, home)
        try:
            running.start()
            yield running
        finally:
            running.stop()
    finally:
        if megabytes is not None:
            subprocess.run(["umount", "--lazy", str(home)], check=True)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def cluster(*, fsync: bool = False) -> Iterator[str]:
    """Start a cluster; yield its socket folder; stop and delete it afterwards.

    Tests need no `fsync`; a benchmark of durable answers does.
    """
    with server(fsync=fsync) as running:
        yield str(running.home)


def url(socket: str, name: str) -> str:
    """The SQLAlchemy URL of database `name` in the cluster at `socket`."""
    return f"postgresql+asyncpg://mydata@/{name}?host={socket}"


def _mount(home: Path, megabytes: int) -> None:
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(home)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        home.rmdir()
        raise PermissionError("no right to mount a file system")


def _unprivileged(home: Path) -> str | None:
    """The user to run as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(home, entry.pw_uid, entry.pw_gid)
        return name
    raise PermissionError("running as root and there is neither a postgres nor a nobody user")


def _run(command: list[object], user: str | None, home: Path) -> None:
    done = subprocess.run(
        [str(c) for c in command], user=user, cwd=home, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)


def _wait(folder: Path, home: Path) -> None:
    ready = [str(folder / "pg_isready"), "-h", str(home), "-U", "mydata", "-d", "postgres", "-t", "20"]
    for _ in range(200):
        if subprocess.run(ready, capture_output=True, check=False).returncode == 0:
            return
        subprocess.run(["sleep", "0.05"], check=False)
    raise TimeoutError((home / "log").read_text())
