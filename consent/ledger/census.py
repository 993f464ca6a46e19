"""A census: how many events the log holds of each citizen, as a Merkle tree that also adds up.

    leaf  = SHA-256(2 || h || n as 8 bytes || head)              h: a citizen's key, random to others
    node  = SHA-256(3 || left || its sum || right || its sum)    sums as 8 bytes; split as RFC 6962 2.1

`head` is the leaf hash of the citizen's event number n. Root and total enter the log: whoever may read the
entries counts those that concern somebody and compares; a trail must end where the census says it ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from consent.ledger.errors import LedgerFormatError

ERASED = bytes(32)
"""The key under which events are counted whose citizen was forgotten."""

_MEMBER_BYTES = 32 + 8 + 32

Node = tuple[bytes, int]
"""A hash and the sum below it."""


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """One citizen's count: `h` and `head` are 32 bytes."""

    h: bytes
    n: int
    head: bytes

    @property
    def node(self) -> Node:
        """Its leaf, and its count."""
        data = self.h + self.n.to_bytes(8, "big") + self.head
        return hashlib.sha256(b"\x02" + data).digest(), self.n


class Census:
    """All members, ordered by `h`, each `h` once."""

    def __init__(self, members: Sequence[Member]) -> None:
        """Count these; LedgerFormatError when an `h` stands twice or nobody is there."""
        self.members = sorted(members)
        hs = [member.h for member in self.members]
        if not hs or len(set(hs)) != len(hs):
            raise LedgerFormatError("a census counts everybody once")
        self._rows = _rows([member.node for member in self.members])

    @property
    def root(self) -> Node:
        """The root and the total."""
        return self._rows[-1][0]

    def prove(self, h: bytes) -> tuple[int, list[Node]]:
        """Position of `h` and its siblings, lowest first; KeyError when it is not counted."""
        found = [at for at, member in enumerate(self.members) if member.h == h]
        if not found:
            raise KeyError("not counted in this census")
        index, path = found[0], []
        for row in self._rows[:-1]:
            if index ^ 1 < len(row):
                path.append(row[index ^ 1])
            index >>= 1
        return found[0], path

    def encode(self) -> bytes:
        """All members as bytes, in order."""
        return b"".join(m.h + m.n.to_bytes(8, "big") + m.head for m in self.members)

    @classmethod
    def decode(cls, data: bytes) -> Census:
        """Read `encode()`; raises LedgerFormatError."""
        if len(data) % _MEMBER_BYTES:
            raise LedgerFormatError("not a list of members")
        cut = range(0, len(data), _MEMBER_BYTES)
        parts = [data[at : at + _MEMBER_BYTES] for at in cut]
        return cls([Member(p[:32], int.from_bytes(p[32:40], "big"), p[40:]) for p in parts])


def join(left: Node, right: Node) -> Node:
    """The node above two."""
    data = left[0] + left[1].to_bytes(8, "big") + right[0] + right[1].to_bytes(8, "big")
    return hashlib.sha256(b"\x03" + data).digest(), left[1] + right[1]


def _rows(row: list[Node]) -> list[list[Node]]:
    """Every level; an odd one at the end moves up as it is, which is the split of RFC 6962 2.1."""
    rows = [row]
    while len(row) > 1:
        odd = row[-1:] if len(row) % 2 else []
        row = [join(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)] + odd
        rows.append(row)
    return rows
