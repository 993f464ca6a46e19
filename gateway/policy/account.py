"""What one run of another policy found, told so that no number points at a person.

A cell that fewer than five citizens stand behind is told as `<5`; every other number is rounded down to a
multiple of five. No total over cells is told and no cell's place in the list depends on its number: what is
hidden cannot be had back by subtracting.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.policy import record
from gateway.policy.decision import Decision, Grant, Reason, Withheld
from gateway.policy.question import Question
from gateway.policy.tables import PolicyDecisionRow

SMALLEST = 5
"""Cells of fewer citizens than this are told as `<5`; other numbers in steps of it."""

Told = int | str


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One kind of change: in a sector ("" for the whole decision), from one result to another, by code."""

    sector: str
    was: str
    would_be: str


@dataclass(slots=True)
class Account:
    """The account of one run. Citizens and companies are counted, never told."""

    candidate: str
    begin: int
    end: int
    looked_at: int = 0
    erased: int = 0
    unreadable: int = 0
    failed: int = 0
    cells: Counter[Change] = field(default_factory=Counter)
    people: dict[Change, set[str]] = field(default_factory=lambda: defaultdict(set))
    conditions: set[str] = field(default_factory=set)

    def report(self) -> dict[str, Any]:
        """Plain JSON: how many questions there were, then each kind of change in the order of its name."""
        cells = sorted(self.cells)
        return {
            "candidate": self.candidate,
            "from": self.begin,
            "to": self.end,
            "looked_at": rounded(self.looked_at),
            "erased": rounded(self.erased),
            "unreadable": rounded(self.unreadable),
            "failed": rounded(self.failed),
            "decisions": [self._told(cell) for cell in cells if not cell.sector],
            "items": [{"sector": cell.sector, **self._told(cell)} for cell in cells if cell.sector],
            "obligations_only": rounded(len(self.conditions)),
        }

    def note(self, row: PolicyDecisionRow, question: Question, again: Decision, citizen: str) -> None:
        """Count one decision on a `citizen`, and the other answer to its question."""
        self.looked_at += 1
        if again.canonical() == record.canonical_of(row):
            return
        before, after = _verdict(row.allow, _codes(row)), _verdict(again.allow, again.codes)
        if before != after:
            self._count(Change("", before, after), citizen)
        was, would = _of_row(row, question), _of_decision(again, question)
        moved = [item for item in question.request.items if was[_name(item)] != would[_name(item)]]
        for item in moved:
            self._count(Change(item.sector, was[_name(item)], would[_name(item)]), citizen)
        if not moved and before == after:
            self.conditions.add(citizen)

    def _count(self, cell: Change, citizen: str) -> None:
        self.cells[cell] += 1
        self.people[cell].add(citizen)

    def _told(self, cell: Change) -> dict[str, Told]:
        few = len(self.people[cell]) < SMALLEST
        count = f"<{SMALLEST}" if few else rounded(self.cells[cell])
        citizens = rounded(len(self.people[cell]))
        return {"was": cell.was, "would_be": cell.would_be, "count": count, "citizens": citizens}


def rounded(count: int) -> Told:
    """0 as it is, 1 to 4 as `<5`, more in steps of five, downwards."""
    return f"<{SMALLEST}" if 0 < count < SMALLEST else count // SMALLEST * SMALLEST


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
