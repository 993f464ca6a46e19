"""When to ask again: Retry-After read strictly and bounded, else exponential back-off with full jitter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_ASKED = 86_400.0
"""Seconds: no holder can put us off for longer than a day at a time."""

BASE_SECONDS = 0.2
CAP_SECONDS = 4.0


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds asked by a Retry-After header (RFC 9110 10.2.3: number or date); None if unreadable."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), LONGEST_ASKED)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_ASKED)


def pause(attempt: int, asked: float | None, random: Callable[[], float]) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 0): never less than the holder asked."""
    drawn = random() * min(CAP_SECONDS, BASE_SECONDS * 2.0**attempt)
    return max(drawn, asked or 0.0)
