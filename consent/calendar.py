"""Days and lengths of time as the law and the citizen count them: Korean calendar days, ISO 8601 periods."""

from __future__ import annotations

import calendar as months_of
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from math import ceil

KST = timezone(timedelta(hours=9), "KST")
"""Korean time. Fixed: the country has kept no daylight saving since 1988."""

_PERIOD = re.compile(r"P(?=\d)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time in calendar units: ISO 8601 years, months, weeks (kept as days), days."""

    years: int = 0
    months: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read `P1Y`, `P3M`, `P2W`, `P90D` or a mix in that order; ValueError for anything else or zero."""
        found = _PERIOD.fullmatch(text)
        if found is None:
            raise ValueError("not an ISO 8601 period of years, months, weeks or days")
        years, months, weeks, days = (int(part or 0) for part in found.groups())
        period = cls(years, months, weeks * 7 + days)
        if period == cls():
            raise ValueError("a period must be longer than zero")
        return period

    @property
    def most_days(self) -> int:
        """Days in the longest stretch this period may cover on a calendar; for comparing two periods."""
        return ceil(self.years * 365.25 + self.months * 30.4375) + self.days

    def after(self, day: date) -> date:
        """The day one period later; a day the month does not have becomes its last."""
        return _shift(day, self.years * 12 + self.months) + timedelta(days=self.days)

    def before(self, day: date) -> date:
        """The day one period earlier; a day the month does not have becomes its last."""
        return _shift(day, -(self.years * 12 + self.months)) - timedelta(days=self.days)


def parse_date(text: str) -> date:
    """Read `2026-11-22` and nothing looser; ValueError otherwise."""
    if _DATE.fullmatch(text) is None:
        raise ValueError("not a date YYYY-MM-DD")
    return date.fromisoformat(text)


def korean_day(moment: datetime) -> date:
    """The day it is in Korea at an aware `moment`."""
    return moment.astimezone(KST).date()


def korean_day_of(at: int) -> date:
    """The day it is in Korea at the instant `at` (epoch seconds)."""
    return datetime.fromtimestamp(at, KST).date()


def day_begins(day: date) -> int:
    """Epoch seconds of the first moment of `day` in Korea."""
    return int(datetime(day.year, day.month, day.day, tzinfo=KST).timestamp())


def day_ends(day: date) -> int:
    """Epoch seconds of the first moment after `day` in Korea; what lasts until `day` holds while now < it."""
    return day_begins(day) + 86_400


def _shift(day: date, by_months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + by_months, 12)
    last = months_of.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
