"""What scoped accounts may see of past decisions: lists, one made again, another policy tried on weeks.

Nothing here names a citizen: no consent, no holder, no value, no question. Every look is entered into the
ledger before its answer is given; what cannot be entered is not shown. A replay stands in the trail of the
citizen it concerns, for their question was opened.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from consent.calendar import day_begins
from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from consent.subjects import SubjectId
from gateway.database import Database
from gateway.errors import Problem
from gateway.policy import record, replay, revisions
from gateway.policy.record import Wanted
from gateway.policy.recorded import Line, Recorded, line_of, recorded
from gateway.policy.replay import Replayed
from gateway.policy.tables import PolicyBundleRow, PolicyDecisionRow
from gateway.policy.whatif import what_if

MOST = 100
"""The most decisions a page of them holds."""
WEEKS = 5
DECISIONS = 5_000
SECONDS = 30.0
"""The most weeks, decisions and seconds one run of another policy may take; one runs at a time."""


@dataclass(frozen=True, slots=True)
class Again:
    """A replay: the decision as recorded, what came of making it again, and which parts differ."""

    line: Line
    recorded: Recorded
    outcome: str
    recorded_sha256: str
    again_sha256: str | None
    again_engine: str | None
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept policy: who built and who approved it, when (epoch seconds), and whether it decides now."""

    revision: str
    built_by: str
    built_at: int
    approved_by: str | None
    in_force: bool


class Memory:
    """Answers accounts by their id. Whoever calls has checked what the account may do."""

    def __init__(self, database: Database, journal: Journal, clock: Clock, wake: Callable[[], None]) -> None:
        """Read `database`; enter looks through `journal`; `wake` says that an entry was written."""
        self._database, self._journal, self._clock, self._wake = database, journal, clock, wake
        self._trying = asyncio.Lock()

    async def decisions(
        self, reader: str, wanted: Wanted, *, before: str | None, limit: int
    ) -> tuple[list[Line], str | None]:
        """A page of decisions, the newest first, and where the next begins (None: nothing follows)."""
        async with self._database.reading() as session:
            rows = await record.newest(session, wanted, before=before, limit=limit + 1)
        shown = rows[:limit]
        asked = {"since": wanted.since, "until": wanted.until, "client": wanted.client_id}
        query = {**asked, "allow": wanted.allow, "before": before, "limit": limit}
        given = {name: value for name, value in query.items() if value is not None}
        await self._look(Event.POLICY_DECISIONS_LISTED, reader, {"query": given, "found": len(shown)})
        return [line_of(row) for row in shown], shown[-1].id if len(rows) > limit else None

    async def again(self, reader: str, decision: str) -> Again:
        """One decision made again on its own revision. Raises Problem `not_found`, BundleInvalid."""
        async with self._database.reading() as session:
            row = await record.find(session, decision)
            if row is None:
                raise Problem("not_found")
            opener = await replay.opener(session, self._journal.keys, row)
            done = await replay.replay_with(session, opener.key if opener else None, row)
        said = {"decision": row.id, "outcome": done.outcome.value}
        subject = opener.subject if opener else None
        await self._look(Event.POLICY_DECISION_REPLAYED, reader, said, subject)
        return _told(row, done)

    async def policies(self) -> list[Kept]:
        """Every kept policy, the newest first. No look at anybody: policies are public."""
        async with self._database.reading() as session:
            now = await revisions.active(session)
            rows = await revisions.all_rows(session)
        return [_kept(row, now) for row in reversed(rows)]

    async def what_if(self, reader: str, candidate: str, first: date, weeks: int) -> list[dict[str, Any]]:
        """The account of a kept policy on each of some finished weeks that begin with the Sunday `first`.

        `candidate` is a revision or its beginning. Each week is told by itself, never a sum of them: weeks do
        not overlap and are over, so two answers tell no more than their weeks do. Raises Problem
        `invalid_request`, `not_found`, `what_if_too_large`, `too_many_requests`, BundleInvalid.
        """
        spans = self._spans(first, weeks)
        if self._trying.locked():
            raise Problem("too_many_requests", retry_after=int(SECONDS))
        async with self._trying:
            async with self._database.reading() as session:
                kept = await revisions.find(session, candidate)
                if kept is None:
                    raise Problem("not_found")
                if await record.count_between(session, spans[0][0], spans[-1][1]) > DECISIONS:
                    raise Problem("what_if_too_large")
            said = {"candidate": kept.revision, "first": first.isoformat(), "weeks": weeks}
            await self._look(Event.POLICY_CANDIDATE_TRIED, reader, said)
            return await self._try(kept, spans)

    async def _try(self, kept: PolicyBundleRow, spans: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
        bundle, keys = revisions.opened(kept), self._journal.keys
        try:
            async with asyncio.timeout(SECONDS):
                return [
                    (await what_if(self._database, keys, bundle, begin, end)).report() for begin, end in spans
                ]
        except TimeoutError:
            raise Problem("what_if_too_large") from None

    def _spans(self, first: date, weeks: int) -> list[tuple[int, int]]:
        if first.weekday() != _SUNDAY or not 1 <= weeks <= WEEKS:
            raise Problem("invalid_request", params={"what": f"first: a Sunday; weeks: 1 to {WEEKS}"})
        days = [first + timedelta(days=7 * number) for number in range(weeks + 1)]
        begins = [day_begins(day) for day in days]
        if begins[-1] > self._clock().timestamp():
            raise Problem("invalid_request", params={"what": "the weeks must be over"})
        return list(pairwise(begins))

    async def _look(
        self, kind: Event, reader: str, payload: Mapping[str, object], subject: SubjectId | None = None
    ) -> None:
        async with self._database.transaction() as session:
            at = int(self._clock().timestamp())
            await self._journal.append(session, kind, subject=subject, party=reader, payload=payload, at=at)
        self._wake()


_SUNDAY = 6


def _told(row: PolicyDecisionRow, done: Replayed) -> Again:
    bytes_then = record.canonical_of(row)
    now = done.again
    return Again(
        line=line_of(row),
        recorded=recorded(bytes_then),
        outcome=done.outcome.value,
        recorded_sha256=_digest(bytes_then),
        again_sha256=None if now is None else _digest(now.canonical()),
        again_engine=None if now is None else now.engine,
        differs=() if now is None else recorded(bytes_then).differs(recorded(now.canonical())),
    )


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _kept(row: PolicyBundleRow, in_force: str | None) -> Kept:
    return Kept(row.revision, row.built_by, row.built_at, row.approved_by, row.revision == in_force)
