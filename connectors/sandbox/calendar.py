"""Days and months of sandbox lives. Everything is Korean civil time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta


def months(since: date, until: date) -> Iterator[date]:
    """The first day of every month that begins between two days, both included, oldest first."""
    month = since.replace(day=1)
    if month < since:
        month = following(month)
    while month <= until:
        yield month
        month = following(month)


def following(month: date) -> date:
    """The first day of the next month."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def days(since: date, until: date) -> Iterator[date]:
    """Every day between two days, both included, oldest first."""
    day = since
    while day <= until:
        yield day
        day += timedelta(days=1)
