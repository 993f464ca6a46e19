"""System calls that fail as on a broken or full disk, by strace; and which calls a process really makes."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ERRORS = ("EIO", "ENOSPC")
WRITES = (
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "splice", "copy_file_range"),
    *("fsync", "fdatasync", "sync_file_range", "syncfs", "msync"),
    *("open", "openat", "openat2", "creat", "truncate", "ftruncate", "fallocate", "flock"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat"),
    *("mkdir", "mkdirat", "rmdir", "mknod", "mknodat"),
    *("chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "lchown", "utimensat"),
)
"""Every call that may change a file, its name or its rights, or makes that durable; and its lock."""
SENDS = ("connect", "sendto", "sendmsg", "sendmmsg")
"""How a client's words reach PostgreSQL."""
_LATE = {"pwrite64": 60, "fdatasync": 8, "openat": 6, "sendto": 150}


def strace() -> str:
    """The path of strace; skips where there is none or it may trace nobody."""
    path = shutil.which("strace")
    tried = [path or "", "-e", "trace=none", "true"]
    if path is None or subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip("group strace: no strace that may trace on this machine")
    return path


class Failing:
    """One call fails, once or from a seeded moment on; which of `watched` the process made is seen, too."""

    def __init__(
        self, chance: random.Random, number: int, calls: Sequence[str], watched: Sequence[str], out: Path
    ) -> None:
        self.call = calls[number % len(calls)]
        self.error = ERRORS[(number + number // len(calls)) % 2]
        self._moment = f"{chance.randint(1, _LATE.get(self.call, 3))}{chance.choice(('', '+'))}"
        self._calls, self._watched, self._out = calls, watched, out

    def under(self, files: Sequence[Path]) -> list[str]:
        """The command line that runs another one so; on `files` only, if there are any."""
        watched = ",".join(f"?{call}" for call in self._watched)
        return [
            *(strace(), "-f", "--seccomp-bpf", "-qq", "-o", str(self._out)),
            *(f"--trace-path={file}" for file in files),
            *("-e", f"trace={watched}"),
            *("-e", f"inject={self.call}:error={self.error}:when={self._moment}"),
        ]

    def felt(self) -> bool:
        """Whether the process ran into it. Fails if it made a call of that kind which is never injected."""
        text = self._out.read_text(errors="replace")
        self._out.unlink()
        made = set(re.findall(r"^\d+ +(\w+)\(", text, re.MULTILINE))
        assert made <= set(self._calls), "calls that no fault is injected into"
        return "(INJECTED)" in text
