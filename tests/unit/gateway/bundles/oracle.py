"""The rules interpreted slowly and plainly, one record a time: what compiled plans must agree with.

Shares no code with the compiler: stdlib json, dict in, dict out. Raises for a record that is unreadable.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from gateway.bundles.fields import DatasetRules, FieldRule

ROUND = re.compile(r"-?\d{1,18}(\.\d{1,9})?", re.ASCII)
RESIDENT = re.compile(
    r"(?<!\d)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]) ?[-~./]? ?\d[\d*xX●]{6}(?!\d)", re.ASCII
)


def expand(key: bytes, *words: str) -> bytes:
    """HKDF-Expand (RFC 5869 2.3) of 32 bytes over length-prefixed words."""
    info = b"".join(len(word).to_bytes(4, "big") + word.encode() for word in ("mdb1", *words))
    return hmac.new(key, info + b"\x01", hashlib.sha256).digest()


class Oracle:
    """Interprets `rules` for the citizen with `salt` under `domain_secret`."""

    def __init__(self, rules: DatasetRules, domain_secret: bytes, salt: bytes) -> None:
        self.rules = rules
        self.prk = hmac.new(salt, domain_secret, hashlib.sha256).digest()

    def record(self, text: bytes) -> dict[str, Any]:
        """What should leave of one record."""
        body = json.loads(text, parse_float=Decimal)
        if not isinstance(body, dict):
            raise TypeError("not an object")
        by_name = {rule.name: rule for rule in self.rules.rules}
        out = {}
        for name in sorted(self.rules.granted):
            if name in body and by_name[name].treatment != "suppress":
                out[name] = self.value(by_name[name], body[name])
        return out

    def value(self, rule: FieldRule, value: Any) -> Any:
        """One treated value."""
        if rule.treatment == "keep":
            return guarded(value)
        if value in (None, ""):
            return value
        if rule.treatment == "pseudonymise":
            return self.pseudonym(rule, value)
        if rule.treatment == "truncate":
            return cut(value, str(rule.parameter))
        if rule.treatment == "round":
            return rounded(value, int(rule.parameter or 0))
        raise AssertionError("texts are compared with fixed examples instead")

    def pseudonym(self, rule: FieldRule, value: Any) -> str:
        """HMAC of the value under the key of its join group."""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise TypeError("not an identifier")
        key = expand(self.prk, "field", rule.join_group or f"{self.rules.dataset}.{rule.name}")
        digest = hmac.new(key, str(value).encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def guarded(value: Any) -> Any:
    """A kept value, with resident registration numbers replaced."""
    if isinstance(value, str):
        return RESIDENT.sub("[rrn]", value)
    if isinstance(value, list):
        return [guarded(one) for one in value]
    if isinstance(value, dict):
        return {guarded(name): guarded(one) for name, one in value.items()}
    if isinstance(value, int) and not isinstance(value, bool) and RESIDENT.search(str(value)):
        return RESIDENT.sub("[rrn]", str(value))
    return value


def cut(value: Any, unit: str) -> Any:
    """A time: seconds since 1970 (Korean days), YYYYMM[DD[hhmmss]], or ISO 8601; a coarser one stays."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError("not a time")
    text = str(value)
    if isinstance(value, int) and 9 <= len(text) <= 11 and value > 0:
        return cut_seconds(value, unit)
    if text.isascii() and text.isdigit() and len(text) in (6, 8, 14):
        parts = [int(text[at : at + 2]) for at in range(4, len(text), 2)]
        lows, highs = (1, 1, 0, 0, 0), (12, 31, 23, 59, 59)
        if not all(low <= part <= high for low, part, high in zip(lows, parts, highs, strict=False)):
            raise ValueError("not a time")
        kept = {"hour": text[:10] + "0" * max(0, len(text) - 10), "day": text[:8], "month": text[:6]}[unit]
        return int(kept) if isinstance(value, int) else kept
    if isinstance(value, int):
        raise TypeError("not a time")
    if re.fullmatch(r"[0-9]{4}", text):
        return text
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2})-([0-9]{2})T([0-9]{2}):[0-9]{2}:[0-9]{2}(\S*)", text)
    if not found:
        raise ValueError("not a time")
    month, day, hour, zone = found.groups()
    return {"hour": f"{month}-{day}T{hour}:00:00{zone}", "day": f"{month}-{day}", "month": month}[unit]


def cut_seconds(value: int, unit: str) -> int:
    """The first second of the Korean hour, day or month of `value`, by counting."""
    into_day = (value + 9 * 3600) % 86_400
    if unit == "hour":
        return value - into_day % 3600
    day = value - into_day
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=day + 9 * 3600)
    return day if unit == "day" else day - (date.day - 1) * 86_400


def rounded(value: Any, step: int) -> Any:
    """The nearest multiple of `step`, halves away from zero; strings stay strings."""
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or not ROUND.fullmatch(text):
        raise ValueError("not a number")
    times = (Decimal(text) / step).to_integral_value(ROUND_HALF_UP)
    result = int(times) * step
    return str(result) if isinstance(value, str) else result
