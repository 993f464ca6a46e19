"""Pages of a list, newest first: a plain link goes on where the page before ended, so each costs the same."""

from __future__ import annotations

import re

from starlette.requests import Request

PAGE = 20
"""How many consents, or transfers of one consent, a page shows."""

Place = tuple[int, str]
"""Where a page ended: epoch seconds and id of its last row."""

_PLACE = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{1,64})")


def before(request: Request) -> Place | None:
    """Where the page asked for begins; None, the newest page, also for what is no place."""
    found = _PLACE.fullmatch(request.query_params.get("before", ""))
    return (int(found[1]), found[2]) if found else None


def older(path: str, last: Place) -> str:
    """The address of the page after the one that ended at `last`."""
    return f"{path}{'&' if '?' in path else '?'}before={last[0]}.{last[1]}"
