"""Dates, lengths of time and amounts as a person says them. Korean time; patterns written out."""

from __future__ import annotations

from datetime import UTC, date, datetime

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency

from consent.calendar import KST, Period
from gateway.errors import Language
from gateway.web.words import words

# Babel's own Korean patterns say "PM 3:30"; these do not.
# Day and month stay on one line.
_DATE = {"ko": "yyyy년 M월\u00a0d일", "en": "d\u00a0MMMM yyyy"}
_MOMENT = {"ko": "yyyy년 M월\u00a0d일 HH:mm", "en": "d\u00a0MMMM yyyy, HH:mm"}
_CLOCK = {"ko": "HH:mm", "en": "HH:mm"}


def day(value: date | str, language: Language) -> str:
    """A date: `2027년 2월 28일`, `28 February 2027`."""
    read = date.fromisoformat(value) if isinstance(value, str) else value
    return format_date(read, _DATE[language], locale=language)


def moment(epoch: int, language: Language) -> str:
    """A moment in Korean time: `2027년 2월 28일 15:30`."""
    return format_datetime(_korean(epoch), _MOMENT[language], locale=language)


def clock(epoch: int, language: Language) -> str:
    """The time of day in Korea: `15:30`."""
    return format_datetime(_korean(epoch), _CLOCK[language], locale=language)


def money(amount: int, currency: str, language: Language) -> str:
    """An amount: `12,000원`, `₩12,000`."""
    if currency == "KRW" and language == "ko":
        return f"{amount:,}원"
    return format_currency(amount, currency, locale=language)


def length(period: str, language: Language) -> str:
    """A length of time (ISO 8601): `90일`, `1년`, `90 days`."""
    read = Period.parse(period)
    parts = [("years", read.years), ("months", read.months), ("days", read.days)]
    return " ".join(_counted(unit, number, language) for unit, number in parts if number)


def frequency(value: str, language: Language) -> str:
    """How often: `한 번만`, `7일마다`."""
    if value == "once":
        return words(language)("frequency.once")
    if value in {"P1D", "P7D", "P1W", "P1M"}:
        return words(language)(f"frequency.{value}")
    return words(language)("frequency.every", length=length(value, language))


def _counted(unit: str, number: int, language: Language) -> str:
    key = f"length.{unit}" if number != 1 or language == "ko" else f"length.{unit}_one"
    return words(language)(key, number=number)


def _korean(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC).astimezone(KST)
