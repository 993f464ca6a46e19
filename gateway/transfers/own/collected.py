"""What holders gave for a citizen themself, as it is kept: asked fields, untreated, sealed as one piece."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from connectors.contract import Outcome, Reason
from connectors.runtime import Pulled
from consent.refusal_grounds import ground_of
from consent.rights import Received
from consent.subjects import SubjectKey

MAX_BYTES = 32 * 1024 * 1024
"""More than this of one request is not kept: the item says `too_large`."""

PASSING = frozenset(
    {Reason.HOLDER_DOWN, Reason.THROTTLED, Reason.TIMEOUT, Reason.CURSOR_EXPIRED, Reason.CANCELLED}
)
"""Reasons that may be gone at the next try."""


class Part(msgspec.Struct, frozen=True):
    """The records of one item, each a JSON object of the asked fields, and when they were pulled."""

    records: tuple[msgspec.Raw, ...]
    pulled_at: int


@dataclass(frozen=True, slots=True)
class Collected:
    """Everything that came so far, by item name."""

    parts: Mapping[str, Part] = field(default_factory=dict, repr=False)

    def seal(self, key: SubjectKey, request_id: str) -> bytes:
        """The stored form; opens only under the citizen's key and for this request."""
        return key.seal(msgspec.json.encode(dict(self.parts)), _context(request_id))

    @classmethod
    def open(cls, key: SubjectKey, request_id: str, sealed: bytes) -> Collected:
        """What `seal` stored; nothing where nothing is stored. Raises SubjectError."""
        if not sealed:
            return cls()
        plain = key.unseal(sealed, _context(request_id))
        return cls(msgspec.json.decode(plain, type=dict[str, Part]))

    def with_item(self, name: str, part: Part) -> Collected:
        """These, and `part` in place of what there was of its item."""
        return Collected({**self.parts, name: part})

    @property
    def size(self) -> int:
        """Bytes of all records."""
        return sum(len(bytes(record)) for part in self.parts.values() for record in part.records)


def project(fields: Iterable[str], bodies: Iterable[bytes]) -> tuple[tuple[msgspec.Raw, ...], int]:
    """The asked fields of each record as the holder wrote them, and how many records could not be read.

    A field that was not asked for is never decoded.
    """
    names = list(fields)
    members: list[Any] = [(f"f{at}", msgspec.Raw, msgspec.UNSET) for at in range(len(names))]
    rename = {f"f{at}": name for at, name in enumerate(names)}
    record = msgspec.defstruct("Own", members, rename=rename, gc=False)
    decode, encode = msgspec.json.Decoder(record).decode, msgspec.json.Encoder().encode
    kept, unreadable = [], 0
    for body in bodies:
        try:
            body.decode()
            kept.append(msgspec.Raw(encode(decode(body))))
        except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError):
            unreadable += 1
    return tuple(kept), unreadable


def judge(name: str, pulled: Pulled, records: int, unreadable: int, *, last: bool, now: int) -> Received:
    """What became of one item: `pending` while trying again may help and it is not the `last` time."""
    gap = pulled.gaps[0].reason if pulled.gaps else None
    if gap in PASSING and not last:
        return Received(name, "pending", records, gap.value, at=now)
    outcome = pulled.outcome.value
    reason = gap.value if gap else None
    if pulled.outcome is Outcome.COMPLETE and unreadable:
        outcome, reason = ("partial" if records else "failed"), "unreadable"
    return Received(name, outcome, records, reason, ground_of(reason), now)


def _context(request_id: str) -> str:
    return f"own-data/{request_id}"
