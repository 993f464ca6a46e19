"""A check as data: an id, the clause it enforces, what it wants in words, and the predicate."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeGuard, TypeVar

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Check(Generic[Subject]):
    """One rule. `wanted` completes the sentence "... must ..." and repeats nothing of the input."""

    id: str
    clause: str
    wanted: str
    holds: Callable[[Subject], bool]


def first_failing(checks: Iterable[Check[Subject]], subject: Subject) -> Check[Subject] | None:
    """The first check that does not hold, in the order given."""
    for check in checks:  # a loop: a generator would cost as much as the checks
        if not check.holds(subject):
            return check
    return None


FUTURE_SECONDS = 30
"""Tolerated clock difference: FAPI 2.0 5.3.2.1-13 wants 0 to 10 s accepted and over 60 s refused."""


def number(value: object) -> TypeGuard[float]:
    """Whether `value` is a NumericDate (RFC 7519 2) a clock can reach."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 40


def text(value: object, longest: int = 256) -> TypeGuard[str]:
    """Whether `value` is a non-empty string of at most `longest` characters."""
    return isinstance(value, str) and 0 < len(value) <= longest
