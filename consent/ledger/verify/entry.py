"""The one form of a log entry (deterministic CBOR, RFC 8949 4.2), checked without a CBOR library."""

from __future__ import annotations

import re
from functools import lru_cache

from .report import Finding

_ENTRY = re.compile(
    rb"([\xa5\xa6])\x01\x01\x02([\x00-\x17]|\x18.|\x19..|\x1a.{4}|\x1b.{8})"
    rb"\x03([\x60-\x77]|\x78.)([a-z]+(?:-[a-z]+)*(?::[a-z]+(?:-[a-z]+)*){2})"
    rb"\x04([\x60-\x77]|\x78.)([A-Za-z0-9._~:/-]+)(?:\x05X (.{32}))?\x06X (.{32})",
    re.DOTALL,
)


def read_entry(data: bytes, where: str) -> dict[int, bytes]:
    """Kind (3), tag (5) and commitment (6) of a version 1 entry in deterministic CBOR (RFC 8949 4.2)."""
    match = _ENTRY.fullmatch(data)
    if match is None:
        raise Finding("entry_malformed", where, "not a version 1 entry")
    map_, seconds, kind_head, kind, party_head, party, tag, commitment = match.groups()
    at = seconds[0] if len(seconds) == 1 else int.from_bytes(seconds[1:], "big")
    heads = (map_, seconds, kind_head, party_head)
    form = (b"\xa6" if tag else b"\xa5", _head(0, at), _head(3, len(kind)), _head(3, len(party)))
    if heads != form or at >= 1 << 40 or len(kind) > 64 or len(party) > 128 or len(data) > 1000:
        raise Finding("entry_malformed", where, "not in its one canonical form")
    return {3: kind, 6: commitment, **({5: tag} if tag else {})}


@lru_cache(4096)  # entries next to each other have the same lengths, often the same second
def _head(major: int, value: int) -> bytes:
    if value < 24:
        return bytes([major << 5 | value])
    code = next(code for code in range(4) if value < 1 << (8 << code))
    return bytes([major << 5 | 24 + code]) + value.to_bytes(1 << code, "big")
