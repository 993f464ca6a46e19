"""How much is fair: the table of `fair_use.yaml`, and the check of a request against it.

Of several rules that match an item the strictest limit counts, attribute by attribute, item by item; a
request for several kinds of data never gets the widest of their limits. Policy applies the same table at
every transfer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Literal

import msgspec

from consent.catalogue.strict_yaml import read
from consent.errors import CatalogueError, TermsError
from consent.items import Item, Terms

COUNTED_DAYS = (1, 30)
"""The windows in which transfers are counted, in days up to now."""

Attribute = Literal["expiry", "range", "request", "life"]


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most `times` transfers in any `days` days."""

    days: int
    times: int


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row: limits in days, None for none. `begins` is the first day it holds."""

    purpose: str
    fetch: Literal["*", "once", "periodic"]
    data: str
    windows: tuple[Window, ...]
    begins: date = msgspec.field(name="from")
    source: str
    expiry: int | None = None
    range: int | None = None
    request: int | None = None
    life: int | None = None

    def matches(self, purpose: str, item: Item, on: date) -> bool:
        """Whether this row speaks of `item` asked for `purpose` on the day `on`."""
        sector = item.dataset.partition(".")[0]
        fetch = "once" if item.frequency == "once" else "periodic"
        return (
            self.purpose in ("*", purpose)
            and self.fetch in ("*", fetch)
            and self.data in ("*", sector, item.dataset)
            and self.begins <= on
        )


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class FairUse:
    """The table. Read once, never changed."""

    rules: tuple[Rule, ...]

    def limit(self, attribute: Attribute, purpose: str, item: Item, on: date) -> int | None:
        """The strictest limit in days of the rows that speak of `item`; None when none does."""
        rows = (rule for rule in self.rules if rule.matches(purpose, item, on))
        return min((days for rule in rows if (days := getattr(rule, attribute)) is not None), default=None)

    def check(self, terms: Terms, today: date) -> None:
        """Raise TermsError `fair_use_exceeded` naming the first item, attribute and limit that is passed.

        What a request shows by itself: how long, and how far back. How often is counted, so only policy can
        tell it; how long data lives is cut by policy, never a reason to refuse.
        """
        for item in terms.items:
            for attribute, days in _asked(terms, item, today):
                limit = self.limit(attribute, terms.purpose, item, today)
                if limit is not None and days > limit:
                    raise TermsError(
                        "fair_use_exceeded",
                        where=item.name,
                        attribute=attribute,
                        limit_days=limit,
                        asked_days=days,
                        purpose=terms.purpose,
                    )


def _asked(terms: Terms, item: Item, today: date) -> Iterable[tuple[Attribute, int]]:
    yield "expiry", (terms.end - terms.start).days
    yield "range", (terms.start - item.history_from).days
    yield "request", (max(today, terms.start) - item.history_from).days


def read_rules(file: Traversable) -> FairUse:
    """The table in `file`. Raises CatalogueError `catalogue_invalid` naming what is wrong."""
    try:
        rules = msgspec.convert(read(file), _File, strict=True).rules
    except msgspec.ValidationError as error:
        raise CatalogueError("catalogue_invalid", where=file.name, what=str(error)) from error
    for rule in rules:
        numbers = [n for n in (rule.expiry, rule.range, rule.request, rule.life) if n is not None]
        if any(n < 1 for n in numbers) or any(w.times < 1 for w in rule.windows):
            raise CatalogueError("catalogue_invalid", where=file.name, what="a limit must be at least 1")
        if any(window.days not in COUNTED_DAYS for window in rule.windows):
            raise CatalogueError("catalogue_invalid", where=file.name, what="this window is not counted")
    return FairUse(rules)


@cache
def fair_use() -> FairUse:
    """The table that is shipped."""
    return read_rules(resources.files("consent.law") / "fair_use.yaml")
