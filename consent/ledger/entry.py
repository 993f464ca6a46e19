"""A log entry: deterministic CBOR (RFC 8949 4.2), integer keys, at most 1 kB, no personal data.

    {1: version, 2: seconds, 3: kind, 4: party, 5: tag, 6: commitment}

`tag` (absent when the event concerns no citizen) and `commitment` are HMAC values under keys that can be
destroyed; `party` is an organisation of the consortium or a part of the gateway, never a citizen. The
seconds are the writer's claim: only the position in the log and its checkpoints are proof of order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import cbor2

from consent.ledger.errors import LedgerFormatError

VERSION = 1
MAX_BYTES = 1000
DIGEST_BYTES = 32
KIND = re.compile(r"[a-z]+(?:-[a-z]+)*(?::[a-z]+(?:-[a-z]+)*){2}")
MAX_KIND = 64
PARTY = re.compile(r"[A-Za-z0-9._~:/-]{1,128}")

_MAX_SECONDS = 1 << 40
_KEYS = ([1, 2, 3, 4, 6], [1, 2, 3, 4, 5, 6])


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `at` is whole seconds since 1970 UTC; `tag` and `commitment` are 32 bytes."""

    at: int
    kind: str
    party: str
    tag: bytes | None
    commitment: bytes

    def __post_init__(self) -> None:
        """Refuse what the grammar does not allow: raises LedgerFormatError."""
        if type(self.at) is not int or not 0 <= self.at < _MAX_SECONDS:
            raise LedgerFormatError("entry seconds are out of range")
        if type(self.kind) is not str or len(self.kind) > MAX_KIND or not KIND.fullmatch(self.kind):
            raise LedgerFormatError("entry kind is not source:subject:action")
        if type(self.party) is not str or not PARTY.fullmatch(self.party):
            raise LedgerFormatError("entry party is not an organisation id")
        for digest in (self.commitment, self.tag):
            if digest is not None and (type(digest) is not bytes or len(digest) != DIGEST_BYTES):
                raise LedgerFormatError("entry tag and commitment are 32 bytes each")
        if self.commitment is None:
            raise LedgerFormatError("entry has no commitment")


def encode(entry: Entry) -> bytes:
    """The only encoding of `entry`: at most MAX_BYTES, else LedgerFormatError."""
    fields: dict[int, object] = {1: VERSION, 2: entry.at, 3: entry.kind, 4: entry.party}
    if entry.tag is not None:
        fields[5] = entry.tag
    fields[6] = entry.commitment
    encoded = cbor2.dumps(fields, canonical=True)
    if len(encoded) > MAX_BYTES:
        raise LedgerFormatError("entry is longer than 1000 bytes")
    return encoded


def decode(encoded: bytes) -> Entry:
    """Read an entry; anything but its only encoding raises LedgerFormatError."""
    if len(encoded) > MAX_BYTES:
        raise LedgerFormatError("entry is longer than 1000 bytes")
    try:
        fields = cbor2.loads(encoded)
    except (cbor2.CBORDecodeError, ValueError, TypeError, RecursionError) as error:
        raise LedgerFormatError("entry is not CBOR") from error
    if not isinstance(fields, dict) or list(fields) not in _KEYS or fields[1] != VERSION:
        raise LedgerFormatError("entry is not a version 1 map")
    entry = Entry(fields[2], fields[3], fields[4], fields.get(5), fields[6])
    if encode(entry) != encoded:
        raise LedgerFormatError("entry is not in its deterministic form")
    return entry
