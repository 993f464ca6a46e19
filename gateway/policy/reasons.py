"""What a reason code says to a person: texts from reasons.yaml, codes and params from a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

Language = Literal["ko", "en"]

MOMENTS = frozenset({"start", "end", "from", "last", "next"})
"""Params that are epoch seconds and are shown as a day in Korea."""

_KST = timezone(timedelta(hours=9))


def text(code: str, language: Language, params: Mapping[str, Any] | None = None) -> str:
    """The sentence of `code` with `params` filled in; a code without a text gives the code itself.

    Numbers of `MOMENTS` become days in Korea, lists are joined; a caller may hand in ready words instead
    (field names for `fields`).
    """
    entry = catalogue().get(code)
    if entry is None:
        return code
    words = {name: _word(name, value, language) for name, value in (params or {}).items()}
    return entry[language].format_map(_Filled(words))


@cache
def catalogue() -> dict[str, dict[Language, str]]:
    """Every code with its text in Korean and English."""
    file = resources.files("gateway.policy").joinpath("reasons.yaml")
    entries: dict[str, dict[Language, str]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return entries


def _word(name: str, value: Any, language: Language) -> str:
    if name in MOMENTS and isinstance(value, int):
        day = datetime.fromtimestamp(value, _KST)
        return f"{day.year}년 {day.month}월 {day.day}일" if language == "ko" else f"{day:%Y-%m-%d}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(part) for part in value)
    return str(value)


class _Filled(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "-"
