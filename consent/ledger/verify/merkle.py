"""The RFC 6962 tree, as plainly as it can be said."""

from __future__ import annotations

import hashlib


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962 2.1: the hash of a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """RFC 6962 2.1: the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: list[bytes]) -> bytes:
    """The RFC 6962 tree head: pairs are joined level by level, an odd one at the end moves up as it is."""
    row = leaves or [hashlib.sha256().digest()]
    while len(row) > 1:
        odd = row[-1:] if len(row) % 2 else []
        row = [node(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)] + odd
    return row[0]


def included(leaf: bytes, index: int, path: list[bytes], head: tuple[int, bytes]) -> bool:
    """Whether `path` leads from `leaf` at `index` to `head` = (size, root): RFC 9162 2.1.3.2."""
    last, computed = head[0] - 1, leaf
    if index > last:
        return False
    for sibling in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            computed = node(sibling, computed)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            computed = node(computed, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and computed == head[1]
