"""Reading a body as it was sent: plain or gzip, once, and never more than there is room for.

A general decoder inflates a whole piece before anyone can look at its size, and layers of encodings multiply:
two kilobytes can become gigabytes. Here nothing is inflated beyond the room that is left.
"""

from __future__ import annotations

import zlib

from connectors.contract import Reason
from connectors.errors import HolderError

_PLAIN = frozenset({"", "identity"})
_GZIP = frozenset({"gzip", "x-gzip"})
_GZIP_WINDOW = 31


class Inflater:
    """Takes a body apart piece by piece. One per answer."""

    def __init__(self, encoding: str) -> None:
        """Read a body of this Content-Encoding; HolderError(CORRUPT) for one that was not asked for."""
        named = encoding.strip().lower()
        if named not in _PLAIN | _GZIP:
            raise HolderError(Reason.CORRUPT, "the body has an encoding that was not asked for")
        self._gzip = zlib.decompressobj(_GZIP_WINDOW) if named in _GZIP else None
        self._begun = False

    def take(self, piece: bytes, room: int) -> bytes:
        """The next piece, of which at most `room` (1 and more) bytes are inflated."""
        if self._gzip is None:
            return piece
        self._begun = self._begun or bool(piece)
        try:
            plain = self._gzip.decompress(piece, room)
        except zlib.error:
            raise _broken() from None
        if self._gzip.unused_data:
            raise _broken()
        return plain

    def end(self) -> None:
        """Nothing more comes. Raises HolderError(CORRUPT) when the body was cut off."""
        if self._gzip is not None and self._begun and not self._gzip.eof:
            raise _broken()


def _broken() -> HolderError:
    return HolderError(Reason.CORRUPT, "the body cannot be decompressed")
