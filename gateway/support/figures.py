"""A day in figures, as the Consumer Data Standards of Australia have holders tell it (Get Metrics v5). Pure.

Milliseconds and shares are texts with three places, calls a second with six: no reader's floating point
changes what was told. What was not called has no average and no share: null, never zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from consent.calendar import day_begins, day_ends, korean_day_of
from consent.records import Move
from gateway.oauth.abandonment import FlowCount
from gateway.oauth.stages import ABANDONED
from gateway.statistics.facts import Call, Facts
from gateway.transfers.calls import SUCCESS

WITHIN_MS = {"user": 1_500, "scheduled": 4_000}
"""How quick a pull has to be to count as performed: who waits, and who does not (the standard's tiers)."""
REVOKED = frozenset({Move.WITHDRAW, Move.REVOKE, Move.INVALIDATE})
AMENDED = frozenset({Move.AMEND, Move.NARROW, Move.RENEW})


@dataclass(frozen=True, slots=True, order=True)
class Decided:
    """One answer of policy to a company that asked for a transfer, at `at` (epoch seconds)."""

    at: int
    client: str
    allow: bool


@dataclass(frozen=True, slots=True)
class Period:
    """What a period's figures are made of. `uncounted`: refusals told by hour and not one by one."""

    facts: Facts
    decided: tuple[Decided, ...]
    uncounted: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(
        cls, facts: Facts, decided: Iterable[Decided], uncounted: Iterable[tuple[int, int]] = ()
    ) -> Period:
        """In one order, whatever order it was found in."""
        return cls(facts, tuple(sorted(decided)), tuple(sorted(uncounted)))


def of_day(period: Period, day: date) -> dict[str, Any]:
    """What both records and ledger tell of one Korean day: the same from either."""
    begin, end = day_begins(day), day_ends(day)
    calls = [call for call in period.facts.calls if begin <= call.at < end]
    decided = [one for one in period.decided if begin <= one.at < end]
    refused = sum(not one.allow for one in decided)
    refused += sum(number for hour, number in period.uncounted if begin <= hour < end)
    allowed = sum(one.allow for one in decided)
    failed = Counter(call.code for call in calls if call.code != SUCCESS)
    return {
        "performance": {kind: _share(_of(calls, kind), most) for kind, most in WITHIN_MS.items()},
        "invocations": {
            "transfers": allowed + refused,
            "transfersRefused": refused,
            "pulls": {kind: len(_of(calls, kind)) for kind in WITHIN_MS},
            "bundles": sum(begin <= one.at < end for one in period.facts.sent),
        },
        "averageResponse": {kind: _mean(_of(calls, kind)) for kind in WITHIN_MS},
        "averageTps": f"{len(calls) / 86_400:.6f}",
        "peakTps": max(Counter(call.at for call in calls).values(), default=0),
        "errors": {"aggregate": sum(failed.values()), "byCode": dict(sorted(failed.items()))},
        "authorisations": _authorisations(period.facts, day, end),
    }


def abandonments(counts: Iterable[FlowCount]) -> dict[str, Any]:
    """Where citizens left that day: every stage of the standard stands in it, in its order."""
    left = Counter[str]()
    for one in counts:
        left[one.ending.value] += one.number
    by_stage = {ending.value: left[ending.value] for ending in ABANDONED}
    return {"abandonedConsentFlowCount": sum(by_stage.values()), "abandonmentsByStage": by_stage}


def rejections(counted: Mapping[str, int]) -> dict[str, Any]:
    """Requests turned away, by code."""
    return {"aggregate": sum(counted.values()), "byCode": dict(sorted(counted.items()))}


def _authorisations(facts: Facts, day: date, end: int) -> dict[str, int]:
    moved = Counter(one.move for one in facts.moves if korean_day_of(one.at) == day)
    return {
        "active": len(facts.in_force(end)),
        "new": moved[Move.GIVE],
        "revoked": sum(moved[move] for move in REVOKED),
        "amended": sum(moved[move] for move in AMENDED),
        "expired": moved[Move.EXPIRE],
    }


def _of(calls: Iterable[Call], kind: str) -> list[Call]:
    return [call for call in calls if call.kind == kind]


def _share(calls: Sequence[Call], most: int) -> str | None:
    return f"{sum(call.ms <= most for call in calls) / len(calls):.3f}" if calls else None


def _mean(calls: Sequence[Call]) -> str | None:
    return f"{sum(call.ms for call in calls) / len(calls):.3f}" if calls else None
