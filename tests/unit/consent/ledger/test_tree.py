"""The Merkle tree against RFC 6962 vectors and against a tree that is computed whole."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.ledger.errors import LedgerFormatError
from consent.ledger.tree import EMPTY_ROOT, RightEdge, leaf_hash, node_hash
from consent.ledger.verify.merkle import root as plain_root

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def whole_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1 as written: split at the largest power of two below the number of leaves."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(whole_root(leaves[:split]), whole_root(leaves[split:]))


def numbered(count: int) -> list[bytes]:
    """`count` different leaf hashes."""
    return [leaf_hash(b"%d" % i) for i in range(count)]


def grown(leaves: list[bytes]) -> RightEdge:
    """The edge after appending `leaves` one by one."""
    edge = RightEdge()
    for leaf in leaves:
        edge.append(leaf)
    return edge


@pytest.mark.parametrize("size", range(9))
def test_the_known_roots(size: int) -> None:
    """Trees of 0 to 8 leaves have the roots that Certificate Transparency publishes."""
    leaves = [leaf_hash(bytes.fromhex(text)) for text in LEAVES[:size]]

    assert grown(leaves).root().hex() == ROOTS[size]
    assert plain_root(leaves).hex() == ROOTS[size]


def test_the_empty_root() -> None:
    """The empty tree's head is the hash of nothing."""
    assert EMPTY_ROOT.hex() == ROOTS[0]
    assert RightEdge().root() == EMPTY_ROOT


@pytest.mark.parametrize("size", [1, 2, 254, 255, 256, 257, 511, 512, 513, 767, 1000])
def test_the_root_at_tile_boundaries(size: int) -> None:
    """Around every tile boundary the appended root is that of the whole tree, in both implementations."""
    leaves = numbered(size)

    assert grown(leaves).root() == whole_root(leaves) == plain_root(leaves)


def test_a_tile_becomes_full_once() -> None:
    """Leaf 256 k completes one level 0 tile of exactly those leaves; leaf 65,536 also one of level 1."""
    edge = RightEdge()
    full = [tile for leaf in numbered(65_536) for tile in edge.append(leaf)]

    assert [tile.index for tile in full if tile.level == 0] == list(range(256))
    assert [(tile.level, tile.index) for tile in full if tile.level == 1] == [(1, 0)]
    assert all(len(tile.data) == 8192 for tile in full)
    assert edge.root() == plain_root(numbered(65_536))
    assert edge.encode() == edge.root()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1400), st.integers(0, 600))
def test_an_edge_stored_and_read_goes_on_as_before(size: int, more: int) -> None:
    """Storing the edge between two batches changes nothing."""
    leaves = numbered(size + more)
    edge = grown(leaves[:size])
    read = RightEdge.decode(size, edge.encode())
    for leaf in leaves[size:]:
        edge.append(leaf)
        read.append(leaf)

    assert read.root() == edge.root() == plain_root(leaves)
    assert read.encode() == edge.encode()


@pytest.mark.parametrize("change", [b"\x00" * 32, b"\x00"])
def test_an_edge_of_another_size_is_refused(change: bytes) -> None:
    """An edge whose length does not fit the size is damage, not a tree."""
    with pytest.raises(LedgerFormatError):
        RightEdge.decode(300, grown(numbered(300)).encode() + change)
    with pytest.raises(LedgerFormatError):
        RightEdge.decode(300, grown(numbered(300)).encode()[:-32])
