"""Tile coordinates, paths and bundles (C2SP tlog-tiles)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.ledger.errors import LedgerFormatError
from consent.ledger.tiles import (
    Tile,
    bundle_path,
    bundles,
    exists,
    hash_tiles,
    node_reader,
    pack,
    parse,
    tile_of,
    unpack,
)
from consent.ledger.tree import RightEdge
from tests.unit.consent.ledger.test_tree import numbered, whole_root


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(3, 999), "tile/3/999"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(1, 0, 1), "tile/1/000.p/1"),
        (Tile(0, 1_234_067, 255), "tile/0/x001/x234/067.p/255"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    """A tile's path is the one of the specification and reads back."""
    assert tile.path == path
    assert parse(path.removeprefix("tile/")) == tile


def test_bundle_paths() -> None:
    """Entry bundles live under `entries`, full and partial."""
    assert bundle_path(1000) == "tile/entries/x001/000"
    assert bundle_path(2, 44) == "tile/entries/002.p/44"


@pytest.mark.parametrize(
    "path",
    ["", "0", "0/0", "0/0000", "0/x000/000", "0/000.p/0", "0/000.p/256", "0/000.p/01", "00/000", "8/000"],
)
def test_other_spellings_are_refused(path: str) -> None:
    """A path that is not the one spelling of a tile names nothing."""
    with pytest.raises(LedgerFormatError):
        parse(path)


@pytest.mark.parametrize(
    "path",
    ["entries/000", "0/000/", "/0/000", "0/../000", "0/x001/x1/000", "0/000.p/1.p/1", "0/٠٠٠", "0/000\n"],
)
def test_other_paths_are_refused(path: str) -> None:
    """A path that leads elsewhere, entry bundles included, names no tile."""
    with pytest.raises(LedgerFormatError):
        parse(path)


def test_the_tiles_of_a_log() -> None:
    """A log of 70,000 entries has full and partial tiles on three levels, and as many bundles as level 0."""
    tiles = list(hash_tiles(70_000))

    assert len([t for t in tiles if t.level == 0]) == 274
    assert [t for t in tiles if t.level == 1] == [Tile(1, 0), Tile(1, 1, 17)]
    assert [t for t in tiles if t.level == 2] == [Tile(2, 0, 1)]
    assert list(bundles(70_000))[-1] == Tile(0, 273, 112)
    assert all(exists(tile, 70_000) for tile in tiles)
    assert not exists(Tile(0, 273, 113), 70_000)
    assert list(hash_tiles(0)) == []


@given(st.integers(1, 700), st.data())
def test_every_perfect_subtree_is_read_from_its_tile(size: int, data: st.DataObject) -> None:
    """The node reader gives the root over exactly the leaves below the node."""
    leaves = numbered(size)
    level = data.draw(st.integers(0, size.bit_length() - 1))
    index = data.draw(st.integers(0, (size >> level) - 1))
    edge = RightEdge()
    stored = {Tile(t.level, t.index): t.data for leaf in leaves for t in edge.append(leaf)}

    def read(tile: Tile) -> bytes:
        return stored.get(Tile(tile.level, tile.index)) or edge.partial(tile.level)

    below = leaves[index << level : (index + 1) << level]
    assert node_reader(size, read)(level, index) == whole_root(below)


def test_a_short_tile_is_refused() -> None:
    """A tile with fewer hashes than the size says is damage."""
    with pytest.raises(LedgerFormatError):
        node_reader(5, lambda _tile: b"\x00" * 32)(2, 0)


def test_where_a_node_lives() -> None:
    """A node of level 9 is a pair in a level 1 tile."""
    assert tile_of(9, 200, 1 << 20) == Tile(1, 1)
    assert tile_of(0, 299, 300) == Tile(0, 1, 44)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_read_back(entries: list[bytes]) -> None:
    """Packing and unpacking gives the same entries."""
    assert unpack(pack(entries)) == entries


@pytest.mark.parametrize("bundle", [b"\x00", b"\x00\x02a", b"\x00\x00\xff"])
def test_a_cut_bundle_is_refused(bundle: bytes) -> None:
    """A bundle that ends inside an entry is damage."""
    with pytest.raises(LedgerFormatError):
        unpack(bundle)


def test_an_entry_too_long_for_a_bundle_is_refused() -> None:
    """Lengths are uint16."""
    with pytest.raises(LedgerFormatError):
        pack([b"x" * 65_536])
