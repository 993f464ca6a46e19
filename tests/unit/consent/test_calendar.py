"""Days and lengths of time as people and the law count them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.calendar import Period, day_begins, day_ends, korean_day, korean_day_of, parse_date

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("text", "period"),
    [("P1Y", Period(1)), ("P3M", Period(0, 3)), ("P2W", Period(days=14)), ("P1Y2M3W4D", Period(1, 2, 25))],
)
def test_periods_are_read(text: str, period: Period) -> None:
    """Years, months, weeks and days, alone or together."""
    assert Period.parse(text) == period


@pytest.mark.parametrize(
    "text", ["", "P", "P0D", "1Y", "P1", "PT1H", "P1D1Y", "P-1D", "P1.5D", "p1d", "P1D\n", "P１D"]
)
def test_anything_else_is_no_period(text: str) -> None:
    """Times of day, signs, fractions, other digits and zero are refused."""
    with pytest.raises(ValueError, match="period"):
        Period.parse(text)


@pytest.mark.parametrize(
    "text", ["2026-1-1", "20261122", "2026-W47-7", "2026-11-22T00:00", "２０２６-11-22", "2026-02-30"]
)
def test_only_plain_dates_are_dates(text: str) -> None:
    """One way to write a date."""
    with pytest.raises(ValueError):  # noqa: PT011 - the text differs by the kind of mistake
        parse_date(text)


def test_a_month_without_the_day_ends_on_its_last() -> None:
    """One month after 31 January is the end of February; one year before 29 February is the 28th."""
    assert Period.parse("P1M").after(date(2027, 1, 31)) == date(2027, 2, 28)
    assert Period.parse("P1Y").before(date(2028, 2, 29)) == date(2027, 2, 28)


@settings(deadline=None)
@given(DAYS, st.integers(0, 9), st.integers(0, 30), st.integers(0, 400))
def test_no_period_is_longer_than_its_most_days(day: date, years: int, months: int, days: int) -> None:
    """`most_days` bounds the period wherever it begins, to within two days of rounding months."""
    period = Period(years, months, days)
    assert (period.after(day) - day).days <= period.most_days + 2


@settings(deadline=None)
@given(DAYS)
def test_days_follow_each_other_without_gap(day: date) -> None:
    """A day ends exactly when the next begins, and both ends belong to the right day."""
    assert day_ends(day) == day_begins(day + timedelta(days=1))
    assert korean_day_of(day_begins(day)) == korean_day_of(day_ends(day) - 1) == day


def test_the_day_is_korean() -> None:
    """At 15:00 UTC it is the next day in Seoul."""
    assert korean_day(datetime(2026, 11, 22, 14, 59, tzinfo=UTC)) == date(2026, 11, 22)
    assert korean_day(datetime(2026, 11, 22, 15, 0, tzinfo=UTC)) == date(2026, 11, 23)
