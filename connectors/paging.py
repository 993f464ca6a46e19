"""Paging as pure functions: from an answer to the next request, or to the end.

None of them follows anything. A `next` outside the holder, equal to the page itself, or seen before raises
HolderError; the session refuses a repeated request once more behind them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.contract import Json, Reason
from connectors.errors import HolderError
from connectors.origins import inside

LONGEST_CURSOR = 1000
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^\s",;]+))*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))', re.IGNORECASE)


class Trail:
    """The cursors of one walk over pages. `step` lets each through once."""

    def __init__(self) -> None:
        """Start with no page read."""
        self._seen: set[str] = set()

    def step(self, cursor: str | None) -> str | None:
        """`cursor` if it leads on, None at the end; raises HolderError(CORRUPT) if it was seen before."""
        if cursor is None:
            return None
        if cursor in self._seen:
            raise HolderError(Reason.CORRUPT, "the next page is one already read", final=True)
        self._seen.add(cursor)
        return cursor


def opaque_cursor(value: Json) -> str | None:
    """The cursor a holder put in its answer; None when absent, null or empty (the last page)."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise HolderError(Reason.CORRUPT, "the cursor is neither text nor a number")
    text = str(value)
    if len(text) > LONGEST_CURSOR:
        raise HolderError(Reason.CORRUPT, f"the cursor is over {LONGEST_CURSOR} characters")
    return text


def next_url(origin: str, current: str, reference: Json) -> str | None:
    """The absolute URL of the next page, inside `origin` and not `current`; None when there is none."""
    if reference is None or reference == "":
        return None
    if not isinstance(reference, str):
        raise HolderError(Reason.CORRUPT, "the next link is not text")
    url = inside(origin, reference, current)
    if url == current.partition("#")[0]:
        raise HolderError(Reason.CORRUPT, "the next page is the page itself", final=True)
    return url


def bundle_next(links: Sequence[Mapping[str, Any]] | None) -> str | None:
    """The `next` of a FHIR Bundle.link array: `[{"relation": "next", "url": ...}]`."""
    found = [link.get("url") for link in links or () if link.get("relation") == "next"]
    return _only(found)


def header_next(header: str | None) -> str | None:
    """The `next` of a Link header (RFC 8288 3)."""
    found = []
    for reference, parameters in _LINK.findall(header or ""):
        rel = _REL.search(parameters)
        if rel and "next" in (rel[1] or rel[2]).lower().split():
            found.append(reference)
    return _only(found)


def _only(found: Sequence[str | None]) -> str | None:
    if len(found) > 1:
        raise HolderError(Reason.CORRUPT, "the page names more than one next page")
    return found[0] if found else None
