"""Inclusion and consistency proofs (RFC 6962 2.1.1 and 2.1.2): built from a node reader, verified from bytes.

A builder asks the reader only for perfect subtrees, so the same code runs on tiles in a database, in
files or in memory; `needs` tells which ones before anything is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from consent.ledger.tree import EMPTY_ROOT, fold, node_hash

NodeReader = Callable[[int, int], bytes]
"""Gives the hash of the perfect subtree number `index` of 2^`level` leaves."""

T = TypeVar("T")


def needs(build: Callable[[NodeReader], T]) -> set[tuple[int, int]]:
    """The (level, index) of every node that `build` reads."""
    asked: set[tuple[int, int]] = set()

    def record(level: int, index: int) -> bytes:
        asked.add((level, index))
        return EMPTY_ROOT

    build(record)
    return asked


def root(size: int, read: NodeReader) -> bytes:
    """The tree head over the first `size` leaves."""
    return _range_root(0, size, read) if size else EMPTY_ROOT


def inclusion(index: int, size: int, read: NodeReader) -> list[bytes]:
    """The proof that leaf `index` stands in the tree of `size` leaves, lowest sibling first."""
    if not 0 <= index < size:
        raise IndexError("the leaf is not in a tree of this size")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_root(middle, high, read))
            high = middle
        else:
            path.append(_range_root(low, middle, read))
            low = middle
    return path[::-1]


def consistency(old: int, new: int, read: NodeReader) -> list[bytes]:
    """The proof that the tree of `old` leaves is a beginning of the tree of `new` leaves."""
    if not 0 <= old <= new:
        raise IndexError("a log only grows")
    if old in (0, new):
        return []
    path: list[bytes] = []
    low, high, whole = 0, new, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_range_root(middle, high, read))
            high = middle
        else:
            path.append(_range_root(low, middle, read))
            low, whole = middle, False
    if not whole:
        path.append(_range_root(low, high, read))
    return path[::-1]


def verify_inclusion(leaf: bytes, position: tuple[int, int], path: list[bytes], head: bytes) -> bool:
    """Whether `path` proves that `leaf` stands at `position` = (index, size) under the root `head`."""
    index, size = position
    if not 0 <= index < size:
        return False
    last, computed = size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            computed = node_hash(sibling, computed)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and computed == head


def verify_consistency(sizes: tuple[int, int], old_head: bytes, new_head: bytes, path: list[bytes]) -> bool:
    """Whether `path` proves that the tree `sizes[0]` is a beginning of the tree `sizes[1]`."""
    old, new = sizes
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and old_head == new_head
    if old == 0:
        return not path and old_head == EMPTY_ROOT
    if old & (old - 1) == 0:
        path = [old_head, *path]
    if not path:
        return False
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old_root = new_root = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old_root, new_root = node_hash(sibling, old_root), node_hash(sibling, new_root)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            new_root = node_hash(new_root, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and old_root == old_head and new_root == new_head


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (RFC 6962 2.1)."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(low: int, high: int, read: NodeReader) -> bytes:
    """The root over leaves [low, high); `low` is a multiple of the power of two that covers the range."""
    peaks: list[bytes] = []
    while low < high:
        level = (high - low).bit_length() - 1
        peaks.append(read(level, low >> level))
        low += 1 << level
    return fold(reversed(peaks))
