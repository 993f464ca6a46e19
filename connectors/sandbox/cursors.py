"""Opaque page cursors: an offset nobody can make up, good only for one person and one question."""

from __future__ import annotations

import base64
import hashlib
import hmac

from connectors.sandbox.refused import Refused

TAG_BYTES, OFFSET_BYTES = 12, 6


def seal(secret: bytes, bound: str, offset: int) -> str:
    """A cursor for `offset`, bound to `bound` (who asks, and what for)."""
    tag = hmac.digest(secret, f"{bound}|{offset}".encode(), hashlib.sha256)[:TAG_BYTES]
    return base64.urlsafe_b64encode(tag + offset.to_bytes(OFFSET_BYTES)).decode()


def offset_of(secret: bytes, bound: str, cursor: str | None) -> int:
    """The offset of a cursor, 0 without one; raises Refused(400) for any other text."""
    if cursor is None:
        return 0
    try:
        raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    offset = int.from_bytes(raw[TAG_BYTES:])
    if len(raw) != TAG_BYTES + OFFSET_BYTES or not hmac.compare_digest(seal(secret, bound, offset), cursor):
        raise Refused(400, "invalid_request", "cursor")
    return offset


def opaque(secret: bytes, kind: str, person: str) -> str:
    """A name of a person that only this holder uses, such as a patient or subscription number."""
    return hmac.new(secret, f"{kind}|{person}".encode(), hashlib.sha256).hexdigest()[:20]
