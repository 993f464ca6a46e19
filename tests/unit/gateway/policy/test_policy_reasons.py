"""The words of reason codes."""

from __future__ import annotations

import pytest

from gateway.policy import reasons


def test_moments_become_days_in_korea() -> None:
    """An epoch second is shown as the day it is in Korea, in each language's way."""
    midnight = 1787151600  # 2026-08-20 00:00 in Korea, still the 19th in London
    assert "2026년 8월 20일" in reasons.text("too_soon", "ko", {"next": midnight})
    assert "2026-08-20" in reasons.text("too_soon", "en", {"next": midnight})


def test_numbers_and_lists_are_filled_in() -> None:
    """Numbers stay numbers, lists are joined, and a page may hand in names of its own."""
    assert "14" in reasons.text("guardian_required", "ko", {"age": 14})
    assert "memo, shop" in reasons.text("field_not_consented", "en", {"fields": ("memo", "shop")})
    assert "메모" in reasons.text("field_not_consented", "ko", {"fields": "메모"})


@pytest.mark.parametrize("params", [None, {}, {"stranger": 1}])
def test_missing_params_do_not_break_a_text(params: dict[str, int] | None) -> None:
    """A text whose params are missing or other still reads."""
    assert "-" in reasons.text("too_soon", "en", params)


def test_a_param_is_never_a_format() -> None:
    """A value with braces is shown, not followed."""
    assert "{0.__class__}" in reasons.text("field_not_consented", "en", {"fields": ["{0.__class__}"]})


def test_an_unknown_code_is_itself() -> None:
    """A code without words is shown as it is rather than hidden."""
    assert reasons.text("no_such_code", "ko") == "no_such_code"
