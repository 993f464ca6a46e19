"""What would another policy have decided: a candidate on every question of a window, beside what was decided.

Counts only leave, and small ones are not told: a count of people below five could point at one. Nobody's
question is shown, nothing is written.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from consent.subjects import SubjectKeys
from gateway.database import Database
from gateway.policy import record, replay
from gateway.policy.bundle import PolicyBundle
from gateway.policy.decision import Decision, Grant, Reason, Withheld
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.errors import PolicyUnavailable
from gateway.policy.question import Question
from gateway.policy.tables import PolicyDecisionRow

SMALLEST = 5
"""Counts of people from 1 to one less than this are told as `<5` (statistical disclosure)."""

PAGE = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change: in a sector, from one result to another, because of codes that came or went."""

    sector: str
    was: str
    would_be: str


@dataclass(slots=True)
class WhatIf:
    """The account of one run. Sets of consents and clients are counted, never told."""

    candidate: str
    begin: int
    end: int
    looked_at: int = 0
    erased: int = 0
    unreadable: int = 0
    failed: int = 0
    changed: int = 0
    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    items: Counter[Change] = field(default_factory=Counter)
    obligations: int = 0
    people: dict[Change, set[str]] = field(default_factory=lambda: defaultdict(set))
    clients: dict[Change, set[str]] = field(default_factory=lambda: defaultdict(set))
    consents: set[str] = field(default_factory=set)

    def report(self) -> dict[str, Any]:
        """Plain JSON: totals, then each kind of change with suppressed counts, the most frequent first."""
        shown = suppressed({change: len(people) for change, people in self.people.items()})
        return {
            "candidate": self.candidate,
            "from": self.begin,
            "to": self.end,
            "looked_at": self.looked_at,
            "erased": self.erased,
            "unreadable": self.unreadable,
            "failed": self.failed,
            "changed": _small(self.changed),
            "consents": _small(len(self.consents)),
            "decisions": [
                {"was": was, "would_be": would, "count": _small(count)}
                for (was, would), count in self.decisions.most_common()
            ],
            "obligations_only": _small(self.obligations),
            "items": [
                {
                    "sector": change.sector,
                    "was": change.was,
                    "would_be": change.would_be,
                    "count": count if isinstance(shown[change], int) else shown[change],
                    "consents": shown[change],
                    "recipients": _small(len(self.clients[change])),
                }
                for change, count in sorted(self.items.items(), key=lambda kept: (-kept[1], str(kept[0])))
            ],
        }

    def note(self, row: PolicyDecisionRow, question: Question, again: Decision) -> None:
        """Count one decision and the other answer to its question."""
        self.looked_at += 1
        if again.canonical() == record.canonical_of(row):
            return
        self.changed += 1
        self.consents.add(row.consent_id)
        before, after = _verdict(row.allow, _codes(row)), _verdict(again.allow, again.codes)
        if before != after:
            self.decisions[(before, after)] += 1
        was, would = _of_row(row, question), _of_decision(again, question)
        moved = [item for item in question.request.items if was[_name(item)] != would[_name(item)]]
        for item in moved:
            change = Change(item.sector, was[_name(item)], would[_name(item)])
            self.items[change] += 1
            self.people[change].add(row.consent_id)
            self.clients[change].add(row.client_id)
        if not moved and before == after:
            self.obligations += 1


async def what_if(
    database: Database, keys: SubjectKeys, candidate: PolicyBundle, begin: int, end: int
) -> WhatIf:
    """Run `candidate` on every decision from `begin` until before `end` (epoch seconds).

    Raises BundleInvalid when the candidate does not load. A question the candidate fails on is counted in
    `failed`; it would have been denied.
    """
    engine, account, last = EmbeddedEngine(candidate), WhatIf(candidate.revision, begin, end), ""
    while True:
        async with database.reading() as session:
            rows = await record.between(session, begin, end, after=last, limit=PAGE)
            opened = [await replay.key_of(session, keys, row) for row in rows]
        pairs = [(row, replay.question_of(key, row)) for row, key in zip(rows, opened, strict=True)]
        for row, question in pairs:
            await _look(account, engine, row, question)
        if len(rows) < PAGE:
            return account
        last = rows[-1].id


async def _look(
    account: WhatIf, engine: EmbeddedEngine, row: PolicyDecisionRow, question: Question | replay.Outcome
) -> None:
    if not isinstance(question, Question):
        account.erased += question is replay.Outcome.ERASED
        account.unreadable += question is not replay.Outcome.ERASED
        return
    try:
        account.note(row, question, await engine.decide(question))
    except PolicyUnavailable:
        account.failed += 1
    await asyncio.sleep(0)


def suppressed(counts: Mapping[Any, int]) -> dict[Any, int | str]:
    """Counts with small ones hidden; when only one is, the next smallest too, or a sum would give it away."""
    hidden = {name for name, count in counts.items() if 0 < count < SMALLEST}
    rest = sorted((count, str(name), name) for name, count in counts.items() if name not in hidden)
    if len(hidden) == 1 and rest:
        hidden.add(rest[0][2])
    return {name: _hidden(count) if name in hidden else count for name, count in counts.items()}


def _hidden(count: int) -> str:
    return f"<{SMALLEST}" if count < SMALLEST else "not told"


def _small(count: int) -> int | str:
    return f"<{SMALLEST}" if 0 < count < SMALLEST else count


def _name(item: Any) -> str:
    return f"{item.holder}/{item.dataset}"


def _codes(row: PolicyDecisionRow) -> Iterable[Reason]:
    return msgspec.json.decode(row.codes, type=tuple[Reason, ...])


def _verdict(allow: bool, codes: Iterable[Reason]) -> str:
    return "allow" if allow else "deny: " + ", ".join(sorted({reason.code for reason in codes}))


def _of_row(row: PolicyDecisionRow, question: Question) -> dict[str, str]:
    granted = msgspec.json.decode(row.granted, type=tuple[Grant, ...])
    return _results(question, granted, msgspec.json.decode(row.withheld, type=tuple[Withheld, ...]))


def _of_decision(decision: Decision, question: Question) -> dict[str, str]:
    return _results(question, decision.granted, decision.withheld)


def _results(question: Question, granted: Iterable[Grant], withheld: Iterable[Withheld]) -> dict[str, str]:
    """By item: `granted`, `granted in part: CODES`, or `withheld: CODES`."""
    leaves, why = {g.item for g in granted}, defaultdict(set)
    for one in withheld:
        why[one.item].add(one.code)
    told = {}
    for item in question.request.items:
        name, codes = _name(item), ", ".join(sorted(why[_name(item)]))
        whole = "granted" if name in leaves else "withheld"
        part = " in part" if name in leaves and codes else ""
        told[name] = f"{whole}{part}: {codes}" if codes else whole
    return told
