"""One treatment of one value, on its JSON token: `Raw -> Raw`. Absent fields never come here; null stays.

A value a treatment does not fit raises Misfit, which drops the record under a counted name: a value nobody
understood never leaves half treated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from gateway.bundles.redact import IDENTIFIERS, RRN, redact_value

Technique = Callable[[msgspec.Raw], msgspec.Raw]

SUSPICIOUS = re.compile(
    rb"[0-9]{6}|\\|[\r\n\t]|\xef\xbc[\x90-\x99]|\xc2\xad|\xe2\x80\x8b|\xe2\x81\xa0|\xef\xbb\xbf"
)
"""Matches every token in which a kept value may need `guard`; most values never leave this one search."""

_TELLING = re.compile(rb"[0-9@\\\r\n\t]|\xef\xbc")
"""Matches every token in which there may be something to redact, or a line break."""

_MEMO_SIZE = 65_536
_EMPTY = (b"null", b'""')
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,9})?")
_STAMP = re.compile(
    r"[0-9]{4}(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12][0-9]|3[01])(?:(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9])?)?"
)
_ISO = re.compile(
    r"(?P<month>[0-9]{4}(?:-(?:0[1-9]|1[0-2]))?)(?:(?<=-[0-9]{2})(?P<day>-(?:0[1-9]|[12][0-9]|3[01]))"
    r"(?:T(?P<hour>[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?)?"
)
_STAMP_TOKEN = re.compile(
    rb'"[0-9]{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"'
)
_EPOCH = re.compile(r"[0-9]{9,11}")
_STAMP_LENGTH = {"month": 6, "day": 8, "hour": 10}
_KST = timezone(timedelta(hours=9))


class Misfit(ValueError):
    """The value does not fit its treatment. Holds no part of the value."""


def pseudonymise(prf: Callable[[str], str]) -> Technique:
    """Replace a string or whole number by its pseudonym; equal values stay equal."""
    memo: dict[bytes, msgspec.Raw] = {}

    def apply(raw: msgspec.Raw) -> msgspec.Raw:
        token = bytes(raw)
        known = memo.get(token)
        if known is None:
            if len(memo) >= _MEMO_SIZE:
                memo.clear()
            known = memo[token] = raw.copy() if token in _EMPTY else _raw(prf(_identifier(token)))
        return known

    return apply


def truncate(unit: str) -> Technique:
    """Cut a time to `unit`: YYYYMM[DD[hhmmss]], ISO 8601 and FHIR dates, or seconds since 1970.

    A text is cut in its own zone, seconds in Korean time; a time coarser than `unit` stays as it is.
    """
    length = 1 + _STAMP_LENGTH[unit]
    tail = b'0000"' if unit == "hour" else b'"'

    def apply(raw: msgspec.Raw) -> msgspec.Raw:
        token = bytes(raw)
        if _STAMP_TOKEN.fullmatch(token):
            return msgspec.Raw(token[:length] + tail)
        if token in _EMPTY:
            return raw
        value = _decode(token)
        if isinstance(value, str):
            return _raw(_cut_text(value, unit))
        if isinstance(value, int) and _EPOCH.fullmatch(token.decode()):
            return _raw(_cut_epoch(value, unit))
        if isinstance(value, int) and _STAMP.fullmatch(token.decode()):
            return _raw(int(_cut_text(str(value), unit)))
        raise Misfit

    return apply


def round_to(step: int) -> Technique:
    """Round a number, or a string holding one, to the nearest multiple of `step`, halves away from zero."""

    def apply(raw: msgspec.Raw) -> msgspec.Raw:
        token = bytes(raw)
        if token.isdigit() and len(token) <= 18:
            return msgspec.Raw(b"%d" % ((2 * int(token) + step) // (2 * step) * step))
        if token in _EMPTY:
            return raw
        quoted = token[:1] == b'"'
        text = _decode(token) if quoted else token.decode()
        if not isinstance(text, str) or not _NUMBER.fullmatch(text):
            raise Misfit
        rounded = int((Decimal(text) / step).quantize(Decimal(1), ROUND_HALF_UP)) * step
        return _raw(str(rounded) if quoted else rounded)

    return apply


def redact(found: list[str]) -> Technique:
    """Replace identifiers inside free text, at any depth of a JSON value."""
    return _replacing(IDENTIFIERS, _TELLING, found)


def guard(found: list[str]) -> Technique:
    """What even a kept value goes through: no resident registration number leaves, and no line break."""
    return _replacing(RRN, SUSPICIOUS, found)


def _replacing(pattern: re.Pattern[str], worth: re.Pattern[bytes], found: list[str]) -> Technique:
    def apply(raw: msgspec.Raw) -> msgspec.Raw:
        if not worth.search(raw) or (len(token := bytes(raw)) < 10 and token.isdigit()):
            return raw
        before = len(found)
        value = redact_value(_decode(token), pattern, found)
        if len(found) > before:
            return _raw(value)
        return msgspec.Raw(msgspec.json.format(raw, indent=-1))

    return apply


def _cut_text(value: str, unit: str) -> str:
    if _STAMP.fullmatch(value):
        kept = value[: _STAMP_LENGTH[unit]]
        return kept.ljust(len(value), "0") if unit == "hour" else kept
    found = _ISO.fullmatch(value)
    if found is None:
        raise Misfit
    day = found["month"] + (found["day"] or "")
    if unit == "month":
        return found["month"]
    if unit == "day" or found["hour"] is None:
        return day
    return f"{day}T{found['hour']}:00:00{found['zone'] or ''}"


def _cut_epoch(seconds: int, unit: str) -> int:
    moment = datetime.fromtimestamp(seconds, _KST).replace(minute=0, second=0)
    if unit != "hour":
        moment = moment.replace(hour=0)
    return int((moment.replace(day=1) if unit == "month" else moment).timestamp())


def _identifier(token: bytes) -> str:
    value = _decode(token)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Misfit


def _decode(token: bytes) -> Any:
    return msgspec.json.decode(token)


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
