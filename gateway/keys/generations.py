"""The document of signing keys on disk: numbered files, each whole or absent, and one winner a number.

A generation is written under another name, made durable, and linked to its number: `link` fails when the
number is taken, on one machine and on a shared folder alike, so two replicas never both win and no lock can
be left behind. A process killed at any step leaves the generation before, and at most a file nobody reads.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

import msgspec

from gateway.keys.errors import KeysError
from gateway.keys.manifest import Entry, Manifest

KEPT = 3
_NAME = re.compile(r"signing-(\d{6})\.json")
_MAX_BYTES = 4_000_000


def newest(folder: Path) -> int:
    """The number of the newest generation; 0 when there is none. One look into the folder."""
    return max(_numbers(folder), default=0)


def read(folder: Path) -> Manifest | None:
    """The newest generation; None when there is none. Raises KeysError when it cannot be used."""
    while number := newest(folder):
        path = _path(folder, number)
        try:
            manifest = msgspec.json.decode(path.read_bytes()[:_MAX_BYTES], type=Manifest)
            for entry in manifest.keys:
                entry.public_key()
        except FileNotFoundError:
            continue  # a newer one came and this one was swept away
        except (OSError, ValueError, msgspec.DecodeError) as error:
            raise KeysError("keys_unreadable", f"{path}: is not a list of signing keys") from error
        if manifest.generation != number or not manifest.keys:
            raise KeysError("keys_unreadable", f"{path}: is not the generation its name says")
        return manifest
    return None


def write(folder: Path, manifest: Manifest) -> bool:
    """Make `manifest` the newest generation, durably; False when another process took its number first.

    Raises KeysError `keys_unreadable` when the folder cannot be written; then nothing has changed.
    """
    path = _path(folder, manifest.generation)
    fresh = folder / f".signing-{secrets.token_hex(8)}.new"
    try:
        write_new(fresh, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        try:
            os.link(fresh, path)
        except FileExistsError:
            return False
        finally:
            fresh.unlink()
        sync(folder)
        _sweep(folder, manifest.generation)
    except OSError as error:
        raise KeysError("keys_unreadable", f"{folder}: cannot be written: {error.strerror}") from error
    return True


def write_new(path: Path, content: bytes) -> None:
    """Write a file that was not there, for this user only; on disk when this returns. FileExistsError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Make the names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def first(entries: list[Entry]) -> Manifest:
    """The first generation of a new folder."""
    return Manifest(1, tuple(entries))


def _path(folder: Path, number: int) -> Path:
    return folder / f"signing-{number:06d}.json"


def _numbers(folder: Path) -> list[int]:
    try:
        return [int(found[1]) for name in os.listdir(folder) if (found := _NAME.fullmatch(name))]
    except OSError as error:
        raise KeysError("keys_unreadable", f"{folder}: cannot be read: {error.strerror}") from error


def _sweep(folder: Path, newest: int) -> None:
    for number in _numbers(folder):
        if number <= newest - KEPT:
            _path(folder, number).unlink(missing_ok=True)
