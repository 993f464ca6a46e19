"""The key around citizens' keys (KEK), and how another takes its place while gateways run.

    subject-kek.key        wraps
    subject-kek-old.key    still opens, until everything is wrapped under the new one
    subject-kek-next.key   made, not yet in use

Three steps, each whole or not done, in this order: the next is written, the present one gets its second
name, the next takes the first. A process killed between them leaves keys that open everything; the next try
goes on.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.keys.custody import read_private
from gateway.keys.errors import KeysError
from gateway.keys.generations import sync, write_new

KEK_BYTES = 32
SETTLE_SECONDS = 600
"""After so long every running gateway wraps under the new one: they look every few seconds."""

CURRENT, OLD, NEXT = "subject-kek.key", "subject-kek-old.key", "subject-kek-next.key"


class Keks:
    """The KEKs of a folder (or of a variable), the one that wraps first. `repr` shows none."""

    def __init__(self, keys: Sequence[bytes], folder: Path | None = None) -> None:
        """Hold `keys`; with a `folder`, follow what it holds."""
        self._keys = tuple(keys)
        self._folder = folder

    @classmethod
    def of(cls, folder: Path) -> Keks:
        """The KEKs in `folder`. Raises KeysError."""
        return cls(_read(folder), folder)

    def known(self) -> tuple[bytes, ...]:
        """The one that wraps, then one that still opens."""
        return self._keys

    def look_again(self) -> tuple[bytes, ...]:
        """The same, after a look into the folder; what cannot be read changes nothing."""
        if self._folder is not None:
            try:
                self._keys = _read(self._folder)
            except KeysError:
                return self._keys
        return self._keys

    def __repr__(self) -> str:
        return "<Keks>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keks) and self._keys == other._keys

    def __hash__(self) -> int:
        return hash(self._keys)


def begin(folder: Path) -> bool:
    """Put a new KEK in the place of the present one, unless that was begun already; whether it was now.

    Durable when it returns. Raises KeysError; whatever happens, everything stored can still be opened.
    """
    current, old, following = (folder / name for name in (CURRENT, OLD, NEXT))
    try:
        if old.exists() and not following.exists():
            return False
        if not following.exists():
            write_new(following, secrets.token_bytes(KEK_BYTES))
            sync(folder)
        if not old.exists():
            os.link(current, old)
            sync(folder)
        _one(following)
        following.replace(current)
        sync(folder)
    except FileExistsError:
        return begin(folder)
    except OSError as error:
        raise KeysError("keys_unreadable", f"{folder}: cannot be written: {error.strerror}") from error
    return True


def finish(folder: Path, *, clock: Callable[[], float] = time.time) -> None:
    """Destroy the old KEK. The caller MUST have seen nothing wrapped under it, after SETTLE_SECONDS.

    Raises KeysError `keys_unreadable` when it is too early.
    """
    taken = (folder / CURRENT).stat()
    left = int(max(taken.st_mtime, taken.st_ctime) + SETTLE_SECONDS - clock())
    if left > 0:
        message = f"{folder}: gateways may still wrap under the old key; try again in {left} seconds"
        raise KeysError("keys_unreadable", message)
    (folder / OLD).unlink(missing_ok=True)
    sync(folder)


def _read(folder: Path) -> tuple[bytes, ...]:
    current = _one(folder / CURRENT)
    if not (folder / OLD).exists():
        return (current,)
    old = _one(folder / OLD)
    return (current,) if old == current else (current, old)


def _one(path: Path) -> bytes:
    content = read_private(path)
    if len(content) != KEK_BYTES:
        raise KeysError("keys_unreadable", f"{path}: must hold exactly {KEK_BYTES} bytes")
    return content
