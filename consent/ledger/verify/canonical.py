"""JSON in its one form (RFC 8785), without fractions."""

from __future__ import annotations

import json
from typing import Any

from .report import Finding


def read_json(data: bytes) -> Any:
    """The value, if `data` is its canonical form; else None."""
    try:
        value = json.loads(data.decode(), parse_float=_refuse, parse_constant=_refuse)
        return value if written(value) == data else None
    except (ValueError, RecursionError):
        return None


def strict_json(data: bytes) -> Any:
    """A JSON value in its canonical form; raises Finding `trail_malformed`."""
    value = read_json(data)
    if value is None:
        raise Finding("trail_malformed", "--trail", "not canonical JSON")
    return value


def written(value: Any) -> bytes:
    """The canonical form of `value`."""
    return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":")).encode()


def _refuse(text: str) -> None:
    raise ValueError(text)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value, key=lambda n: n.encode("utf-16-be"))}
    return [_sorted(member) for member in value] if isinstance(value, list) else value
