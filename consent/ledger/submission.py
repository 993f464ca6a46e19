"""What a log sends to a witness (C2SP tlog-witness, add-checkpoint), as bytes and back.

old 980
(consistency proof, one hash in base64 a line)

(the checkpoint, a signed note)
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from consent.ledger.errors import LedgerFormatError
from consent.ledger.tree import HASH_BYTES

MAX_PROOF = 63
MAX_BYTES = 65_536

_OLD = re.compile(r"old (0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint, and the proof that it continues the log of `old` entries."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def encode(self) -> bytes:
        """The body of an add-checkpoint request."""
        lines = [f"old {self.old}", *(base64.b64encode(node).decode() for node in self.proof)]
        return ("\n".join(lines) + "\n\n" + self.note).encode()

    @classmethod
    def decode(cls, body: bytes) -> Submission:
        """Read a body; anything but this one form raises LedgerFormatError."""
        head, middle, note = body.decode("utf-8", errors="replace").partition("\n\n")
        first, *proof = head.split("\n")
        match = _OLD.fullmatch(first)
        if len(body) > MAX_BYTES or match is None or not middle or len(proof) > MAX_PROOF:
            raise LedgerFormatError("not an add-checkpoint request")
        found = cls(int(match[1]), tuple(_hash(line) for line in proof), note)
        if found.encode() != body:
            raise LedgerFormatError("not in its one form")
        return found


def _hash(line: str) -> bytes:
    try:
        data = base64.b64decode(line, validate=True)
    except ValueError as error:
        raise LedgerFormatError("a proof line is not base64") from error
    if len(data) != HASH_BYTES:
        raise LedgerFormatError("a proof line is not a hash")
    return data
