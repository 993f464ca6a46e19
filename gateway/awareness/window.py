"""The one kind of window anything is published for: a whole Korean month, so that no two windows overlap."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from consent.calendar import Period, day_begins, korean_day_of
from gateway.errors import Problem

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)
GRACE_SECONDS = 86_400
"""So long after a month it may be published: whoever still counted into it has ended."""


@dataclass(frozen=True, slots=True)
class Month:
    """A Korean calendar month."""

    first: date

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `2026-10`; ValueError for anything else."""
        found = _MONTH.fullmatch(text)
        if found is None:
            raise ValueError("not a month YYYY-MM")
        return cls(date(int(found[1]), int(found[2]), 1))

    @classmethod
    def of(cls, at: int) -> Month:
        """The month in which the instant `at` (epoch seconds) lies."""
        return cls(korean_day_of(at).replace(day=1))

    @property
    def name(self) -> str:
        """`2026-10`."""
        return f"{self.first:%Y-%m}"

    @property
    def last(self) -> date:
        """Its last day."""
        return Period(months=1).after(self.first) - timedelta(days=1)

    @property
    def begin(self) -> int:
        """Epoch seconds of its first moment."""
        return day_begins(self.first)

    @property
    def end(self) -> int:
        """Epoch seconds of the first moment after it."""
        return day_begins(self.last + timedelta(days=1))

    def refuse_unless_over(self, now: int) -> None:
        """Raise Problem `month_not_over` unless a whole day has passed since it ended."""
        if now < self.end + GRACE_SECONDS:
            raise Problem("month_not_over", params={"month": self.name})
