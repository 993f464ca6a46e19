"""A recorded decision in a form that names nobody: sectors and codes with how many, never a holder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.policy.decision import Reason
from gateway.policy.tables import PolicyDecisionRow


@dataclass(frozen=True, slots=True)
class Line:
    """One decision of a list. `at` is in epoch seconds; `codes` say why all of it was denied."""

    id: str
    at: int
    client_id: str
    allow: bool
    available: bool
    codes: tuple[str, ...]
    revision: str
    engine: str


@dataclass(frozen=True, slots=True, order=True)
class Stayed:
    """How many items of a sector stayed for a reason."""

    sector: str
    code: str
    article: str
    items: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was decided: granted items by sector, what stayed and why, the kinds of conditions.

    `parts` are the decision's own parts, only to be compared.
    """

    codes: tuple[tuple[str, str], ...]
    granted: tuple[tuple[str, int], ...]
    withheld: tuple[Stayed, ...]
    obligations: tuple[str, ...]
    parts: dict[str, Any]

    def differs(self, other: Recorded) -> tuple[str, ...]:
        """The names of the parts that are not the same in another decision, sorted."""
        return tuple(sorted(name for name, part in self.parts.items() if other.parts[name] != part))


def line_of(row: PolicyDecisionRow) -> Line:
    """A row as a line of a list."""
    codes = {reason.code for reason in msgspec.json.decode(row.codes, type=tuple[Reason, ...])}
    return Line(
        row.id,
        row.at,
        row.client_id,
        row.allow,
        row.available,
        tuple(sorted(codes)),
        row.revision,
        row.engine,
    )


def recorded(canonical: bytes) -> Recorded:
    """A decision's canonical bytes, told so."""
    parts: dict[str, Any] = msgspec.json.decode(canonical)
    granted = Counter(_sector(grant["dataset"]) for grant in parts["granted"])
    stayed = Counter((_sector(w["dataset"]), w["code"], w["article"] or "") for w in parts["withheld"])
    return Recorded(
        codes=tuple(sorted({(reason["code"], reason["article"] or "") for reason in parts["codes"]})),
        granted=tuple(sorted(granted.items())),
        withheld=tuple(sorted(Stayed(*why, items) for why, items in stayed.items())),
        obligations=tuple(sorted({duty["type"] for duty in parts["obligations"]})),
        parts=parts,
    )


def _sector(dataset: str) -> str:
    return dataset.partition(".")[0]
