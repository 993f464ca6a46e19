"""C2SP tlog-tiles: where a hash lives, how its file is called, how entries are bundled.

A full tile has 256 hashes; the last one of a level may be partial and carries its width in its path
(`tile/0/x001/067.p/70`). Tiles never change once published.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from consent.ledger.errors import LedgerFormatError
from consent.ledger.tree import HASH_BYTES, TILE_WIDTH, perfect_root

MAX_LEVEL = 7
MAX_ENTRY = 0xFFFF

TileReader = Callable[["Tile"], bytes]
"""Gives at least the first `width` hashes of a tile."""

_TILE = re.compile(r"(0|[1-7])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile by level, index and width (256 when full)."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Its path below the log's address: `tile/<L>/<N>[.p/<W>]`."""
        return f"tile/{self.level}/{_number(self.index)}{_suffix(self.width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """The path of an entry bundle: `tile/entries/<N>[.p/<W>]`."""
    return f"tile/entries/{_number(index)}{_suffix(width)}"


def parse(path: str) -> Tile:
    """The tile a `<L>/<N>[.p/<W>]` path names; any other spelling raises LedgerFormatError."""
    match = _TILE.fullmatch(path)
    if match is None:
        raise LedgerFormatError("not a tile path")
    tile = Tile(int(match[1]), int(match[2].replace("x", "").replace("/", "")), int(match[3] or TILE_WIDTH))
    if tile.path != f"tile/{path}":
        raise LedgerFormatError("not the canonical path of a tile")
    return tile


def exists(tile: Tile, size: int) -> bool:
    """Whether a log of `size` entries has all hashes of `tile`."""
    return tile.index * TILE_WIDTH + tile.width <= size >> (8 * tile.level)


def hash_tiles(size: int) -> Iterator[Tile]:
    """Every tile a log of `size` entries consists of, the partial ones included."""
    level = 0
    while hashes := size >> (8 * level):
        yield from _row(level, hashes)
        level += 1


def bundles(size: int) -> Iterator[Tile]:
    """Every entry bundle of a log of `size` entries, as level 0 tiles."""
    yield from _row(0, size)


def tile_of(level: int, index: int, size: int) -> Tile:
    """The tile of a log of `size` entries that holds the perfect subtree `index` of 2^`level` leaves."""
    row, inside = divmod(level, 8)
    number = (index << inside) // TILE_WIDTH
    return Tile(row, number, min(TILE_WIDTH, (size >> (8 * row)) - number * TILE_WIDTH))


def node_reader(size: int, read: TileReader) -> Callable[[int, int], bytes]:
    """Read the hash of any perfect subtree of a log of `size` entries from its tiles."""

    def node(level: int, index: int) -> bytes:
        inside = level % 8
        first = (index << inside) % TILE_WIDTH
        data = read(tile_of(level, index, size))
        cut = data[first * HASH_BYTES : (first + (1 << inside)) * HASH_BYTES]
        if len(cut) != HASH_BYTES << inside:
            raise LedgerFormatError("a tile is shorter than the log's size says")
        return perfect_root([cut[i : i + HASH_BYTES] for i in range(0, len(cut), HASH_BYTES)])

    return node


def pack(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: every entry behind its length as a big-endian uint16."""
    packed = bytearray()
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise LedgerFormatError("an entry is longer than a bundle can carry")
        packed += len(entry).to_bytes(2, "big") + entry
    return bytes(packed)


def unpack(bundle: bytes) -> Sequence[bytes]:
    """The entries of a bundle; a length that does not fit raises LedgerFormatError."""
    entries: list[bytes] = []
    at = 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if at + 2 > len(bundle) or end > len(bundle):
            raise LedgerFormatError("an entry bundle ends inside an entry")
        entries.append(bundle[at + 2 : end])
        at = end
    return entries


def _row(level: int, hashes: int) -> Iterator[Tile]:
    full, rest = divmod(hashes, TILE_WIDTH)
    for index in range(full):
        yield Tile(level, index)
    if rest:
        yield Tile(level, full, rest)


def _number(index: int) -> str:
    text = f"{index % 1000:03}"
    while index := index // 1000:
        text = f"x{index % 1000:03}/{text}"
    return text


def _suffix(width: int) -> str:
    return "" if width == TILE_WIDTH else f".p/{width}"
