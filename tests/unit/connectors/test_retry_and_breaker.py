"""Waiting: never less than asked, never longer than bounded; and a breaker that rests and tries again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.breaker import Breaker
from connectors.contract import Reason
from connectors.errors import HolderError
from connectors.retry import CAP_SECONDS, LONGEST_ASKED, pause, retry_after

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("99999999999999999999999999", LONGEST_ASKED),
        (format_datetime(NOW + timedelta(minutes=2), usegmt=True), 120.0),
        (format_datetime(NOW - timedelta(minutes=2), usegmt=True), 0.0),
        (format_datetime(NOW + timedelta(days=30), usegmt=True), LONGEST_ASKED),
        ("Sun Nov 22 09:00:30 2026", 30.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("Sun, 99 Nov 2026 99:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_strictly_and_bounded(value: str | None, seconds: float | None) -> None:
    """RFC 9110 10.2.3: seconds or a date, at most a day; anything else is nothing."""
    assert retry_after(value, NOW) == seconds


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading(value: str) -> None:
    """Whatever stands in the header: None or seconds within bounds."""
    seconds = retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_ASKED


@given(st.integers(0, 40), st.none() | st.floats(0, 1e5), st.floats(0, 1, exclude_max=True))
def test_a_pause_respects_holder_and_cap(attempt: int, asked: float | None, drawn: float) -> None:
    """At least what was asked; our own part never over the cap."""
    seconds = pause(attempt, asked, lambda: drawn)
    assert (asked or 0.0) <= seconds <= max(asked or 0.0, CAP_SECONDS)


def test_the_breaker_opens_rests_tries_once_and_closes() -> None:
    """Its whole life on a clock of ours."""
    time = [0.0]
    breaker = Breaker(lambda: time[0], threshold=3, rest=30)
    for _ in range(3):
        breaker.admit()
        breaker.failed()
    with pytest.raises(HolderError) as caught:
        breaker.admit()
    assert (caught.value.reason, caught.value.retry_after) == (Reason.HOLDER_DOWN, 30.0)
    assert not caught.value.may_pass
    time[0] = 31
    breaker.admit()
    with pytest.raises(HolderError):
        breaker.admit()
    breaker.failed()
    time[0] = 60
    with pytest.raises(HolderError):
        breaker.admit()
    time[0] = 62
    breaker.admit()
    breaker.succeeded()
    for _ in range(2):
        breaker.failed()
        breaker.admit()
