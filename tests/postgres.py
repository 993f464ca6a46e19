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


@contextmanager
def cluster(*, fsync: bool = False) -> Iterator[str]:
    """Start a cluster on a unix socket only; yield the socket folder; stop and delete it afterwards.

    Tests need no `fsync`; a benchmark of durable answers does.
    """
    folder = binaries()
    if folder is None:
        raise FileNotFoundError("no PostgreSQL binaries >= 15 on this machine")
    home = Path(tempfile.mkdtemp(prefix="mydata-pg-", dir="/tmp"))
    user = _unprivileged(home)
    data = home / "data"
    try:
        _run(
            [folder / "initdb", "-D", data, "-U", "mydata", "-A", "trust", "-E", "UTF8", "--no-sync"],
            user,
            home,
        )
        options = ["listen_addresses=", "max_connections=200", "shared_buffers=64MB"]
        options.append(f"fsync={'on' if fsync else 'off'}")
        command = [
            folder / "postgres",
            "-D",
            data,
            "-k",
            home,
            *(word for o in options for word in ("-c", o)),
        ]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, user=user, cwd=home)
        try:
            _wait(folder, home)
            yield str(home)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(20)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def url(socket: str, name: str) -> str:
    """The SQLAlchemy URL of database `name` in the cluster at `socket`."""
    return f"postgresql+asyncpg://mydata@/{name}?host={socket}"


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
    ready = [folder / "pg_isready", "-h", str(home), "-U", "mydata", "-d", "postgres", "-t", "20"]
    for _ in range(200):
        if subprocess.run(ready, capture_output=True, check=False).returncode == 0:
            return
        subprocess.run(["sleep", "0.05"], check=False)
    raise TimeoutError((home / "log").read_text())
