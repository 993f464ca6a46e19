"""Files given on the command line: read with limits and plain messages, and shown without surprises."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

MAX_KEY_BYTES = 256 * 1024


class InputUnusableError(Exception):
    """A file given on the command line is not what its option asks for; the text names file and reason."""


def read_bytes(path: Path, limit: int) -> bytes:
    """The file's bytes; InputUnusableError beyond `limit`. File errors of the system pass through."""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise InputUnusableError(f"{path}: larger than {limit} bytes")
    return data


def read_json_object(path: Path) -> dict[str, Any]:
    """The JSON object in the file, a key or a key set; InputUnusableError if it is none."""
    try:
        value = json.loads(read_bytes(path, MAX_KEY_BYTES), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise InputUnusableError(f"{path}: not a JSON object with each name once") from None
    if not isinstance(value, dict):
        raise InputUnusableError(f"{path}: not a JSON object with each name once")
    return value


def read_key_set(path: Path) -> dict[str, Any]:
    """The JWK set (RFC 7517 5) in the file."""
    value = read_json_object(path)
    if not isinstance(value.get("keys"), list):
        raise InputUnusableError(f'{path}: not a JWK set: it has no list "keys"')
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def make_folder(folder: Path) -> None:
    """The folder, made for this user only unless it is there; InputUnusableError when it cannot be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise InputUnusableError(f"{folder}: is a file, not a folder") from None
    except OSError as error:
        raise InputUnusableError(f"{folder}: this folder cannot be made: {error.strerror}") from error


def write_private(path: Path, content: bytes) -> None:
    """Write the file so that this user only can read it; what was there before is replaced."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)


def printable(text: str) -> str:
    """The text without control characters: nothing in a file can steer the terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)
