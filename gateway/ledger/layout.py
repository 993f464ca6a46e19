"""As what each file of the published log is served: by the gateway, from a folder, from a store of objects.

A store of objects knows nothing of tiles: whoever fills one takes type and caching of each object from the
list that a public export brings along. So nobody on the way keeps a checkpoint or asks twice for a tile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from consent.canonical import canonical

TYPE = "mydata-ledger-objects"


@dataclass(frozen=True, slots=True)
class Served:
    """Content-Type and Cache-Control of one kind of file."""

    media_type: str
    cache: str

    @property
    def headers(self) -> dict[str, str]:
        """What is said beside the type."""
        return {"Cache-Control": self.cache}


SOON = "public, max-age=1"
FOR_EVER = "public, max-age=31536000, immutable"

KINDS = {
    "tile/entries/": Served("application/octet-stream", "no-store"),
    "tile/": Served("application/octet-stream", FOR_EVER),
    "statements": Served("application/json", SOON),
    "checkpoint": Served("text/plain; charset=utf-8", SOON),
}
"""By the beginning of the path, the first that fits; in the order in which a log is put somewhere: a
checkpoint that is seen MUST find all it speaks of."""


def served(path: str) -> Served:
    """How the file at `path` below the log is served; KeyError for what is no part of a log."""
    return KINDS[_kind(path)]


def objects(folder: Path, paths: Iterable[str]) -> bytes:
    """The list of the objects in `folder`, to be put in this order, as canonical JSON."""
    order = list(KINDS)
    listed = [
        {
            "path": path,
            "content_type": served(path).media_type,
            "cache_control": served(path).cache,
            "sha256": hashlib.sha256((folder / path).read_bytes()).hexdigest(),
        }
        for path in sorted(paths, key=lambda path: (order.index(_kind(path)), path))
    ]
    return canonical({"type": TYPE, "version": 1, "objects": listed})


def _kind(path: str) -> str:
    for begins in KINDS:
        if path.startswith(begins):
            return begins
    raise KeyError(path)
