"""The appended tree against a naive one, step by step, at the boundaries of tiles: 255, 256, 257, 65,536."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consent.ledger import proof
from consent.ledger.tiles import Tile, hash_tiles, node_reader
from consent.ledger.tree import EMPTY_ROOT, HASH_BYTES, TILE_WIDTH, RightEdge, leaf_hash, node_hash
from consent.ledger.verify.merkle import included

BOUNDARIES = (255, 256, 257, 511, 512, 65_280, 65_535, 65_536, 65_537, 65_792)


@cache
def leaf(index: int) -> bytes:
    """The leaf hash of entry `index` in every run."""
    return leaf_hash(b"%d" % index)


@cache
def naive(low: int, high: int) -> bytes:
    """RFC 6962 2.1 as written: the hash of leaves [low, high)."""
    if high - low < 2:
        return leaf(low) if high > low else EMPTY_ROOT
    middle = low + (1 << (high - low - 1).bit_length() - 1)
    return node_hash(naive(low, middle), naive(middle, high))


def naive_path(index: int, low: int, high: int) -> list[bytes]:
    """RFC 6962 2.1.1 as written: PATH(m, D[n])."""
    if high - low < 2:
        return []
    middle = low + (1 << (high - low - 1).bit_length() - 1)
    if index < middle:
        return [*naive_path(index, low, middle), naive(middle, high)]
    return [*naive_path(index, middle, high), naive(low, middle)]


class Growing(RuleBasedStateMachine):
    """A log that grows by ones, by batches and to boundaries, is stored and read again, and proves itself."""

    def __init__(self) -> None:
        super().__init__()
        self.edge = RightEdge()
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.seen: list[tuple[int, bytes]] = [(0, EMPTY_ROOT)]

    def append(self, count: int) -> None:
        """Append `count` entries."""
        for _ in range(count):
            for full in self.edge.append(leaf(self.edge.size)):
                assert (full.level, full.index) not in self.tiles, "a tile was published twice"
                self.tiles[full.level, full.index] = full.data

    @initialize(before=st.sampled_from(BOUNDARIES), short=st.integers(0, 3))
    def begin(self, before: int, short: int) -> None:
        """Start just below a boundary."""
        self.append(before - short)

    @rule(count=st.integers(1, 3))
    def few(self, count: int) -> None:
        """A step over a boundary, if one is near."""
        self.append(count)

    @rule(count=st.integers(200, 600))
    def batch(self, count: int) -> None:
        """A sequencer's batch."""
        self.append(count)

    @rule()
    def stored(self) -> None:
        """Store the edge and go on from what was read."""
        self.edge = RightEdge.decode(self.edge.size, self.edge.encode())

    @rule()
    def published(self) -> None:
        """Somebody keeps this checkpoint."""
        self.seen.append((self.edge.size, self.edge.root()))

    @rule(share=st.floats(0, 1, exclude_max=True))
    def included(self, share: float) -> None:
        """The proof of any entry is the naive one, and leads to the root for both verifiers."""
        size = self.edge.size
        index = int(share * size)
        path = proof.inclusion(index, size, node_reader(size, self.read))
        assert path == naive_path(index, 0, size)
        assert proof.verify_inclusion(leaf(index), (index, size), path, self.edge.root())
        assert included(leaf(index), index, path, (size, self.edge.root()))
        assert not proof.verify_inclusion(leaf(index + 1), (index, size), path, self.edge.root())

    @precondition(lambda self: len(self.seen) > 1)
    @rule(which=st.integers(0, 50))
    def continues(self, which: int) -> None:
        """Every checkpoint ever kept is proved a beginning, and a forged one is not."""
        size, root = self.seen[which % len(self.seen)]
        path = proof.consistency(size, self.edge.size, node_reader(self.edge.size, self.read))
        sizes = (size, self.edge.size)
        assert proof.verify_consistency(sizes, root, self.edge.root(), path)
        assert not proof.verify_consistency(sizes, leaf(0), self.edge.root(), path) or size == 1

    def read(self, tile: Tile) -> bytes:
        """A full tile as published, the last one of a level from the edge."""
        full = self.tiles.get((tile.level, tile.index))
        return (full or self.edge.partial(tile.level))[: tile.width * HASH_BYTES]

    @invariant()
    def the_root_is_the_naive_one(self) -> None:
        """After every step."""
        assert self.edge.root() == naive(0, self.edge.size)

    @invariant()
    def every_full_tile_is_there_once(self) -> None:
        """What a log of this size consists of is what was published."""
        full = {(t.level, t.index) for t in hash_tiles(self.edge.size) if t.width == TILE_WIDTH}
        assert full == self.tiles.keys()


TestGrowing = Growing.TestCase
TestGrowing.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)


@pytest.mark.parametrize("before", BOUNDARIES)
def test_every_boundary_is_crossed(before: int) -> None:
    """Whatever steps are drawn above: over each boundary, entry by entry, with proofs at each step."""
    log = Growing()
    log.begin(before, 2)
    for _ in range(4):
        log.published()
        log.few(1)
        log.stored()
        for share in (0.0, 0.5, 0.999):
            log.included(share)
        log.continues(len(log.seen) - 1)
        log.the_root_is_the_naive_one()
        log.every_full_tile_is_there_once()

    assert log.edge.size == before + 2
