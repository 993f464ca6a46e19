"""The ways a log can be wrong, each done to an honest export of 600 entries that was seen before at 300."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.ledger.checkpoint import vkey
from tests.unit.consent.ledger.exports import ORIGIN, VKEY, MadeLog

SIZE, SEEN = 600, 300
HONEST, EARLIER = MadeLog(SIZE), MadeLog(SEEN)
OTHER = MadeLog(SIZE, salted=b"another history")
STRANGER = vkey(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"k" * 32).public_key())


@dataclass(frozen=True)
class Case:
    """One export to be judged: the folder, the key and the earlier checkpoint the judge holds."""

    folder: Path
    key: str
    earlier: Path


def flip(path: Path, bit: int) -> None:
    """Change one bit."""
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def swap(first: Path, second: Path) -> None:
    """Exchange two files."""
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)


def _replace(folder: Path, log: MadeLog) -> None:
    shutil.rmtree(folder)
    log.write(folder)


def _omit(folder: Path) -> None:
    """Entry 7 is left out of its bundle, which gets another in its place; the hashes stay."""
    path = folder / "tile/entries/000"
    data, start = path.read_bytes(), 0
    for _ in range(7):
        start += 2 + int.from_bytes(data[start : start + 2], "big")
    end = start + 2 + int.from_bytes(data[start : start + 2], "big")
    after = end + 2 + int.from_bytes(data[end : end + 2], "big")
    path.write_bytes(data[:start] + data[end:after] + data[end:])


def _stale_partial(folder: Path) -> None:
    """The last tile is the one of the log at 550 entries: right hashes, too few."""
    old = MadeLog(550).write(folder.parent / "older")
    (folder / "tile/0/002.p/88").write_bytes((old / "tile/0/002.p/38").read_bytes())


CLASSES: dict[str, Callable[[Path], object]] = {
    "honest": lambda _: None,
    "bit of an entry": lambda f: flip(f / "tile/entries/001", 4000),
    "bit of a hash": lambda f: flip(f / "tile/0/001", 4000),
    "bit of an upper hash": lambda f: flip(f / "tile/1/000.p/2", 77),
    "bit of a partial tile": lambda f: flip(f / "tile/0/002.p/88", 900),
    "bit of the checkpoint": lambda f: flip(f / "checkpoint", 8 * 50),
    "swapped tiles": lambda f: swap(f / "tile/0/000", f / "tile/0/001"),
    "swapped bundles": lambda f: swap(f / "tile/entries/000", f / "tile/entries/001"),
    "fork": lambda f: _replace(f, OTHER),
    "rollback": lambda f: _replace(f, MadeLog(200)),
    "rewrite": lambda f: _replace(f, MadeLog(SIZE + 100, salted=b"rewritten")),
    "omitted entry": _omit,
    "truncated export": lambda f: (f / "tile/entries/002.p/88").unlink(),
    "truncated file": lambda f: (f / "tile/0/001").write_bytes((f / "tile/0/001").read_bytes()[:4000]),
    "wrong key": lambda _: None,
    "stale partials": _stale_partial,
    "added file": lambda f: (f / "tile/0/002.p/38").write_bytes(b"left behind"),
}


def made(name: str, folder: Path) -> Case:
    """The export corrupted in the way `name` says."""
    HONEST.write(folder / "export")
    (folder / "earlier").write_text(EARLIER.note)
    CLASSES[name](folder / "export")
    return Case(folder / "export", STRANGER if name == "wrong key" else VKEY, folder / "earlier")
