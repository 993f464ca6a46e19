"""The RFC 6962 Merkle tree (SHA-256) and its right edge: all a writer needs to append.

The edge holds, for every tile level, the hashes of the tile that is not full yet: level 0 leaves,
level 1 roots of 256 leaves, level 2 roots of 65,536 leaves. That is also every partial tile a reader
may ask for, and enough to compute the root.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from consent.ledger.errors import LedgerFormatError

TILE_WIDTH = 256
HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf (RFC 6962 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 6962 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over `hashes`; their number MUST be a power of two."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def fold(peaks: Iterable[bytes]) -> bytes:
    """The root over perfect subtrees given from the rightmost (smallest) to the leftmost."""
    root: bytes | None = None
    for peak in peaks:
        root = peak if root is None else node_hash(peak, root)
    return EMPTY_ROOT if root is None else root


@dataclass(frozen=True, slots=True)
class FullTile:
    """A tile that will never change: 256 hashes of one tile level."""

    level: int
    index: int
    data: bytes


@dataclass(slots=True)
class RightEdge:
    """The state of an append-only tree of `size` leaves. Not safe for concurrent use."""

    size: int = 0
    levels: list[list[bytes]] = field(default_factory=list)

    def append(self, leaf: bytes) -> list[FullTile]:
        """Add one leaf hash; give the tiles that became full, lowest level first."""
        full: list[FullTile] = []
        position, carried, level = self.size, leaf, 0
        self.size += 1
        while True:
            if level == len(self.levels):
                self.levels.append([])
            row = self.levels[level]
            row.append(carried)
            if len(row) < TILE_WIDTH:
                return full
            full.append(FullTile(level, position // TILE_WIDTH, b"".join(row)))
            carried, position, level = perfect_root(row), position // TILE_WIDTH, level + 1
            row.clear()

    def root(self) -> bytes:
        """The RFC 6962 tree head over all leaves appended so far."""
        return fold(peak for row in self.levels for peak in _peaks(row))

    def partial(self, level: int) -> bytes:
        """The hashes of the unfinished tile at `level`; empty when there is none."""
        return b"".join(self.levels[level]) if level < len(self.levels) else b""

    def encode(self) -> bytes:
        """The edge as bytes: every level's hashes, lowest first; the size tells how many there are."""
        return b"".join(self.partial(level) for level in range(len(self.levels)))

    @classmethod
    def decode(cls, size: int, data: bytes) -> RightEdge:
        """The edge of a tree of `size` leaves from `encode()`; raises LedgerFormatError on a wrong length."""
        edge, rest, width = cls(size), size, 0
        while rest:
            count = rest % TILE_WIDTH
            row = data[width : width + count * HASH_BYTES]
            edge.levels.append([row[i : i + HASH_BYTES] for i in range(0, len(row), HASH_BYTES)])
            width += count * HASH_BYTES
            rest //= TILE_WIDTH
        if width != len(data):
            raise LedgerFormatError("the right edge does not belong to a tree of this size")
        return edge


def _peaks(row: Sequence[bytes]) -> Iterable[bytes]:
    """The perfect subtrees of an unfinished tile, rightmost first."""
    end, count, width = len(row), len(row), 1
    while count:
        if count & 1:
            yield perfect_root(row[end - width : end])
            end -= width
        count >>= 1
        width <<= 1
