"""What the pages of /oversight can be asked for; anything else is refused, nothing is guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from starlette.requests import Request

from gateway.errors import Problem

DECISIONS = "/oversight/decisions"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_REVISION = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_ANSWERS = {"": None, "allowed": True, "denied": False}


@dataclass(frozen=True, slots=True)
class DecisionsAsked:
    """A page of decisions: `answer` is "", allowed or denied."""

    answer: str
    before: str | None

    @property
    def allow(self) -> bool | None:
        """What the decisions must have said."""
        return _ANSWERS[self.answer]


@dataclass(frozen=True, slots=True)
class WhatIfAsked:
    """A kept policy to try on some weeks from a Sunday on."""

    candidate: str
    first: date
    weeks: int


def decisions(request: Request) -> DecisionsAsked:
    """The page asked for. Raises Problem `form_invalid`."""
    asked = _asked(request, {"answer", "before"})
    answer, before = asked.get("answer", ""), asked.get("before")
    if answer not in _ANSWERS or (before is not None and _ID.fullmatch(before) is None):
        raise Problem("form_invalid")
    return DecisionsAsked(answer, before)


def older(asked: DecisionsAsked, before: str | None) -> str:
    """The address of the same list from `before` on; None: from its newest."""
    kept = {"answer": asked.answer, "before": before or ""}
    query = urlencode({name: value for name, value in kept.items() if value})
    return f"{DECISIONS}?{query}" if query else DECISIONS


def decision_id(request: Request) -> str:
    """The decision the address names. Raises Problem `not_found`."""
    id: str = request.path_params["decision"]
    if _ID.fullmatch(id) is None:
        raise Problem("not_found")
    return id


def what_if(request: Request) -> WhatIfAsked | None:
    """What to try; None when the form was not sent yet. Raises Problem `form_invalid`."""
    asked = _asked(request, {"candidate", "first", "weeks"})
    if not asked:
        return None
    candidate, weeks = asked.get("candidate", ""), asked.get("weeks", "")
    if _REVISION.fullmatch(candidate) is None or re.fullmatch(r"[1-9]", weeks) is None:
        raise Problem("form_invalid")
    try:
        return WhatIfAsked(candidate, date.fromisoformat(asked.get("first", "")), int(weeks))
    except ValueError:
        raise Problem("form_invalid") from None


def _asked(request: Request, known: set[str]) -> dict[str, str]:
    named = [pair for pair in request.query_params.multi_items() if pair[0] != "lang"]
    asked = dict(named)
    if len(asked) != len(named) or set(asked) - known:
        raise Problem("form_invalid")
    return asked
