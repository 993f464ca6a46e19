"""Which rows of an item are agreed to, beside its fields: kinds and amounts (AA DataFilter). Pure.

Two filters meet in their intersection (`both`) or in the smallest filter that lets through what either does
(`either`); None lets every row through.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

AMOUNT_LIMIT = 10**15
"""No filter names an amount further from zero than this."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Rows of one of `types` whose amount lies from `least` to `most`, both included; None means any.

    Amounts are whole units of the row's own currency. At least one member is set; `types` are sorted.
    """

    types: tuple[str, ...] | None = None
    least: int | None = None
    most: int | None = None

    @property
    def empty(self) -> bool:
        """Whether no row can pass."""
        crossed = self.least is not None and self.most is not None and self.least > self.most
        return crossed or self.types == ()


def filters(types: Iterable[str] | None, least: int | None, most: int | None) -> Filters | None:
    """The filter of these members in its one form; None when it would let every row through."""
    sorted_types = None if types is None else tuple(sorted(set(types)))
    found = Filters(sorted_types, least, most)
    return None if found == Filters() else found


def tighter(inner: Filters | None, outer: Filters | None) -> bool:
    """Whether every row that passes `inner` passes `outer`, member by member."""
    return both(inner, outer) == inner


def both(one: Filters | None, other: Filters | None) -> Filters | None:
    """What lets through the rows that pass one and the other."""
    if one is None or other is None:
        return one or other
    types = one.types if other.types is None else other.types
    if one.types is not None and other.types is not None:
        types = tuple(kind for kind in one.types if kind in other.types)
    return filters(types, _most(one.least, other.least), _least(one.most, other.most))


def either(one: Filters | None, other: Filters | None) -> Filters | None:
    """The smallest filter that lets through whatever passes one or the other."""
    if one is None or other is None:
        return None
    types = None if one.types is None or other.types is None else one.types + other.types
    least = None if one.least is None or other.least is None else min(one.least, other.least)
    most = None if one.most is None or other.most is None else max(one.most, other.most)
    return filters(types, least, most)


def filters_details(found: Filters) -> dict[str, Any]:
    """The filter as it stands in `authorization_details`; members without a limit are left out."""
    members: dict[str, Any] = {
        "types": None if found.types is None else list(found.types),
        "amount_from": found.least,
        "amount_to": found.most,
    }
    return {name: value for name, value in members.items() if value is not None}


def filters_of(raw: dict[str, Any] | None) -> Filters | None:
    """The filter `filters_details` wrote, or None where none was written."""
    if raw is None:
        return None
    least, most = (raw.get(name) for name in ("amount_from", "amount_to"))
    whole = (None if bound is None else int(bound) for bound in (least, most))  # JSON has 1.0 for 1
    return filters(raw.get("types"), *whole)


def _most(one: int | None, other: int | None) -> int | None:
    return max((n for n in (one, other) if n is not None), default=None)


def _least(one: int | None, other: int | None) -> int | None:
    return min((n for n in (one, other) if n is not None), default=None)
