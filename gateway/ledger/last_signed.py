"""The last checkpoint this machine signed, in a file no database backup can roll back."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class LastSigned:
    """One file holding a signed checkpoint. Writers of the same machine exclude each other by a lock file.

    Durability: `replace` returns after the new content and its name are on disk.
    """

    def __init__(self, path: Path) -> None:
        """Keep the checkpoint at `path`; MUST NOT be part of what a database restore brings back."""
        self.path = path

    def read(self) -> str | None:
        """The checkpoint as signed, or None before the first one."""
        try:
            return self.path.read_bytes().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return None

    def replace(self, expected: str | None, note: str) -> bool:
        """Write `note` if the file still holds `expected`; False (and nothing written) otherwise."""
        lock = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.read() != expected:
                return False
            self._write(note.encode())
        finally:
            os.close(lock)
        return True

    def _write(self, data: bytes) -> None:
        fresh = self.path.with_name(self.path.name + ".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:  # whole or an error: a full disk takes a part in silence
            file.write(data)
            file.flush()
            os.fsync(handle)
        fresh.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
