"""Electricity of a sandbox household: hourly readings that follow the hour, the season and the day of week.

Readings are computed on demand from the meter's own seed, so a year of hours costs nothing until somebody
asks, and asking twice gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from math import cos, pi
from random import Random

KST = timezone(timedelta(hours=9), "KST")
"""Korean standard time: no daylight saving since 1988."""

BY_HOUR = (40, 34, 31, 30, 31, 38, 62, 88, 80, 58, 52, 54, 60, 56, 54, 56, 64, 84, 112, 130, 134, 120, 92, 60)
"""Share of each hour of a day, in percent of the mean."""
RAW, ESTIMATED, VALIDATED = 14, 8, 17
"""ESPI codes of reading quality used by the sandbox supplier."""


@dataclass(frozen=True, slots=True)
class HourReading:
    """One hour: start in Korean time, whole watt-hours, ESPI quality code, and when it was published."""

    start: datetime
    watt_hours: int
    quality: int
    published: datetime


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter of one household. `mean` is the yearly mean in watt-hours an hour."""

    number: str
    seed: int
    mean: int
    first_day: date
    last_day: date

    def known(self, day: date, now: datetime) -> tuple[HourReading, ...]:
        """A day as the supplier knows it at `now`: estimates until the meter was reached."""
        readings = self.day(day)
        first = _midnight(day) + timedelta(days=1, hours=6)
        if not readings or first > now:
            return ()
        if readings[0].published <= now:
            return readings
        return tuple(
            replace(r, watt_hours=round(r.watt_hours, -2), quality=ESTIMATED, published=first)
            for r in readings
        )

    def day(self, day: date) -> tuple[HourReading, ...]:
        """The 24 final readings of one Korean day; empty outside the contract."""
        return _readings(self, day) if self.first_day <= day <= self.last_day else ()

    def days(self, since: date, until: date) -> Iterator[date]:
        """The days with readings between `since` and `until`, both included, oldest first."""
        day, last = max(since, self.first_day), min(until, self.last_day)
        while day <= last:
            yield day
            day += timedelta(days=1)

    def month_total(self, year: int, month: int) -> int:
        """Watt-hours used in one month so far."""
        first = date(year, month, 1)
        following = date(year + month // 12, month % 12 + 1, 1)
        return sum(
            r.watt_hours for day in self.days(first, following - timedelta(days=1)) for r in self.day(day)
        )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=KST)


def _season(day: date) -> float:
    """Factor of the season: cooling peaks in early August, heating in mid January."""
    of_year = day.timetuple().tm_yday / 365.25
    cooling = max(0.0, cos(2 * pi * (of_year - 0.6))) ** 6 * 0.9
    heating = max(0.0, cos(2 * pi * (of_year - 0.04))) ** 4 * 0.35
    return 0.82 + cooling + heating


@lru_cache(maxsize=2048)  # a page of a feed asks again for the days of the page before
def _readings(meter: Meter, day: date) -> tuple[HourReading, ...]:
    rng = Random(f"{meter.seed}:{day.isoformat()}")
    midnight = _midnight(day)
    published = midnight + timedelta(days=1, hours=6)
    level = meter.mean * _season(day) * (1.15 if day.weekday() >= 5 else 1.0)
    # A meter that was out of reach is estimated first and read days later: a correction of the same hour.
    late = rng.random() < 0.02
    if late:
        published += timedelta(days=3)
    return tuple(
        HourReading(
            midnight + timedelta(hours=hour),
            max(0, round(level * share / 69 * rng.uniform(0.75, 1.25))),
            VALIDATED if late else ESTIMATED if rng.random() < 0.004 else RAW,
            published,
        )
        for hour, share in enumerate(BY_HOUR)
    )
