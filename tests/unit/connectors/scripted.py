"""An `Io` that answers from a script, for connectors alone: pages by path, every request kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from connectors.contract import Check, Checkpoint, Event, Holder, Json, Page, PullRequest
from connectors.registry import Entry, connect

ORIGIN = "https://holder.example"


class ScriptedIo:
    """Answers each path with the next of its bodies."""

    def __init__(self, answers: Mapping[str, Sequence[bytes]]) -> None:
        self._answers = {path: list(bodies) for path, bodies in answers.items()}
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    async def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        accept: str = "application/json",
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> Page:
        """The next body for this path."""
        self.asked.append((path, dict(params or {})))
        parts = urlsplit(path)
        body = self._answers[parts.path].pop(0)
        page = Page(path if parts.scheme else ORIGIN + path, body, {})
        if check is not None:
            check(200, page)
        return page

    async def post(
        self,
        path: str,
        body: Mapping[str, Json],
        *,
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> Page:
        """No connector here posts."""
        raise AssertionError(path)


def holder(sector: str) -> Holder:
    """The connector of a sector at ORIGIN."""
    return connect(Entry("h", sector, {"ko": "보기", "en": "example"}, ORIGIN, "ZZAA000001"))


async def pulled(sector: str, dataset: str, io: ScriptedIo, *, since: date, until: date) -> list[Event]:
    """Every event of one pull."""
    request = PullRequest(dataset, (), since, until, "t1")
    return [event async for event in holder(sector).pull(request, io)]


def sealed(events: Sequence[Event]) -> bool:
    """Whether a checkpoint seals everything, and no cursor came twice."""
    cursors: list[Any] = [event.cursor for event in events if isinstance(event, Checkpoint)]
    return isinstance(events[-1], Checkpoint) and len({str(c) for c in cursors}) == len(cursors)
