"""Canonical JSON (RFC 8785) of what gets signed or committed to; fractions are refused.

Without fractions every JSON writer that sorts its names agrees byte for byte, so a verifier needs no
number formatting of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import rfc8785


def canonical(value: object) -> bytes:
    """The one encoding of `value` in UTF-8; raises ValueError on fractions, huge integers and non-JSON."""
    names: set[str] = set()
    plain = _plain(value, names)
    if all(map(str.isascii, names)):  # then bytes sort as UTF-16 does, and a quick writer will do
        try:
            return orjson.dumps(plain, option=_ONE_FORM)
        except orjson.JSONEncodeError:
            pass  # a huge integer or broken text: the reference says so
    return rfc8785.dumps(plain)


_ONE_FORM = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def _plain(value: object, names: set[str]) -> Any:
    """`value` as plain JSON types; raises ValueError naming only the type that has no place in it."""
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, (dict, Mapping)):  # dict first: asking an abstract class is slow
        if not all(isinstance(name, str) for name in value):
            raise ValueError("names of a JSON object are strings")
        names.update(value)
        return {str(name): _plain(member, names) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member, names) for member in value]
    raise ValueError(f"{type(value).__name__} has no place in canonical JSON")
