"""Inclusion and consistency proofs: known ones, all small ones, and every forgery tried on them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.ledger.proof import (
    NodeReader,
    consistency,
    inclusion,
    needs,
    root,
    verify_consistency,
    verify_inclusion,
)
from consent.ledger.tree import leaf_hash
from consent.ledger.verify.merkle import included
from tests.unit.consent.ledger.test_tree import LEAVES, ROOTS, numbered, whole_root


def reader(leaves: list[bytes]) -> NodeReader:
    """Nodes computed from all leaves; asking beyond them is a fault of the builder."""

    def node(level: int, index: int) -> bytes:
        below = leaves[index << level : (index + 1) << level]
        assert len(below) == 1 << level
        return whole_root(below)

    return node


KNOWN = [leaf_hash(bytes.fromhex(text)) for text in LEAVES]


def test_a_known_inclusion_proof() -> None:
    """Leaf 0 of the published 8-leaf tree has the published path."""
    path = inclusion(0, 8, reader(KNOWN))

    assert [node.hex() for node in path] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert verify_inclusion(KNOWN[0], (0, 8), path, bytes.fromhex(ROOTS[8]))


def test_every_inclusion_proof_of_small_trees() -> None:
    """Every leaf of every tree up to 40 leaves proves itself, at its own place only."""
    leaves = numbered(40)
    for size in range(1, 41):
        head = whole_root(leaves[:size])
        for index in range(size):
            path = inclusion(index, size, reader(leaves[:size]))
            assert verify_inclusion(leaves[index], (index, size), path, head)
            assert included(leaves[index], index, path, (size, head))
            assert not verify_inclusion(leaves[index], ((index + 1) % size, size), path, head) or size == 1
            assert not verify_inclusion(b"x" * 32, (index, size), path, head)
            assert not verify_inclusion(leaves[index], (index, size), [*path, head], head)
            assert not verify_inclusion(leaves[index], (index, size), path[:-1], head) or size == 1
            assert not included(leaves[index], index, [*path, head], (size, head))
            assert not included(leaves[index], size, path, (size, head))


def test_every_consistency_proof_of_small_trees() -> None:
    """Every earlier tree up to 40 leaves proves to be a beginning; a rewritten one does not."""
    leaves = numbered(40)
    heads = [whole_root(leaves[:size]) for size in range(41)]
    for new in range(41):
        for old in range(new + 1):
            path = consistency(old, new, reader(leaves[:new]))
            assert verify_consistency((old, new), heads[old], heads[new], path)
            if old:
                assert not verify_consistency((old, new), b"x" * 32, heads[new], path)
                assert not verify_consistency((old, new), heads[old], b"x" * 32, path)
            assert not verify_consistency((old, new), heads[old], heads[new], [*path, heads[new]])


def test_sizes_that_make_no_sense_prove_nothing() -> None:
    """A shrinking log, a negative place and an index beyond the end are no proofs."""
    assert not verify_consistency((5, 3), b"a" * 32, b"a" * 32, [])
    assert not verify_consistency((3, 5), b"a" * 32, b"a" * 32, [])
    assert not verify_inclusion(b"a" * 32, (-1, 3), [], b"a" * 32)
    assert not verify_inclusion(b"a" * 32, (3, 3), [], b"a" * 32)
    with pytest.raises(IndexError):
        inclusion(3, 3, reader(KNOWN))
    with pytest.raises(IndexError):
        consistency(4, 3, reader(KNOWN))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([255, 256, 257, 511, 512, 513, 700]), st.data())
def test_proofs_around_tile_boundaries(size: int, data: st.DataObject) -> None:
    """Proofs hold at sizes around tile boundaries, and one changed byte breaks them."""
    leaves = numbered(size)
    head = whole_root(leaves)
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    path, grown = inclusion(index, size, reader(leaves)), consistency(old, size, reader(leaves))

    assert verify_inclusion(leaves[index], (index, size), path, head)
    assert verify_consistency((old, size), whole_root(leaves[:old]), head, grown)
    place = data.draw(st.integers(0, len(path) - 1))
    path[place] = bytes([path[place][0] ^ 1]) + path[place][1:]
    assert not verify_inclusion(leaves[index], (index, size), path, head)


def test_what_a_builder_needs_is_known_before_reading() -> None:
    """`needs` names exactly the perfect subtrees that are read."""
    asked: set[tuple[int, int]] = set()

    def recording(level: int, index: int) -> bytes:
        asked.add((level, index))
        return reader(KNOWN)(level, index)

    inclusion(2, 7, recording)

    assert needs(lambda read: inclusion(2, 7, read)) == asked
    assert root(7, reader(KNOWN)) == bytes.fromhex(ROOTS[7])
    assert root(0, reader(KNOWN)) == bytes.fromhex(ROOTS[0])
