"""Detectors in Korean free text: what is found, in front of Hangul too, and what is left alone."""

from __future__ import annotations

import pytest

from gateway.bundles.redact import IDENTIFIERS, redact_text


def shown(text: str) -> str:
    """The text as it would leave."""
    return redact_text(text, IDENTIFIERS, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("010-1234-5678로 보냄", "[phone]로 보냄"),
        ("연락처01012345678입니다", "연락처[phone]입니다"),
        ("+82 10-1234-5678", "[phone]"),
        ("+82-2-123-4567 사무실", "[phone] 사무실"),
        ("(02)123-4567", "[phone]"),
        ("02-1234-5678/급여", "[phone]/급여"),
        ("０１０－１２３４－５６７８", "[phone]"),
        ("010ㅡ1234ㅡ5678", "[phone]"),
        ("900101-1234567씨", "[rrn]씨"),
        ("9001011234567", "[rrn]"),
        ("900101 - 5234567", "[rrn]"),
        ("900101-1******", "[rrn]"),
        ("카드1234-5678-9012-3456결제", "카드[card]결제"),
        ("1234567890123456", "[card]"),
        ("1234-56**-****-3456", "[card]"),
        ("378282-246310005", "[account]"),
        ("3782 822463 10005", "[card]"),
        ("110-123-456789입금", "[account]입금"),
        ("123456-01-123456", "[account]"),
        ("3333-01-1234567", "[account]"),
        ("352-1234-5678-93 농협", "[account] 농협"),
        ("국민 110123456789", "국민 [account]"),
        ("hong.gil-dong@mail.example.kr로", "[email]로"),
        ("여권 M12345678", "여권 [passport]"),
        ("여권 M123A4567번", "여권 [passport]번"),
        ("a@b.kr 010-1111-2222 900101-1234567", "[email] [phone] [rrn]"),
    ],
)
def test_identifiers_are_replaced_by_labels(text: str, expected: str) -> None:
    """Each detector by example, with Hangul touching it on either side."""
    assert shown(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "점심 김밥 5,000원",
        "2026-11-22 10:30 예약",
        "2026.11.22",
        "주문 12345678",
        "1588-1234 고객센터",
        "3개월 할부 2/3",
        "13:30~15:00",
        "@배달 #저녁",
        "ABC12345678X",
        "",
    ],
)
def test_ordinary_memos_are_left_alone(text: str) -> None:
    """Prices, dates, order numbers and public service numbers stay readable."""
    assert shown(text) == text


def test_labels_found_are_reported() -> None:
    """What was replaced is counted by label, never by value."""
    found: list[str] = []
    redact_text("010-1111-2222 010-3333-4444 a@b.kr", IDENTIFIERS, found)
    assert found == ["phone", "phone", "email"]


@pytest.mark.parametrize(
    "text", ["1-" * 5000, "a" * 20000 + "@", "0" * 20000, "(" * 20000, "1 " * 5000 + "x"]
)
def test_hostile_texts_cost_little(text: str) -> None:
    """No input makes the detectors backtrack without bound: the suite's time limit would end it."""
    for _ in range(3):
        shown(text)
