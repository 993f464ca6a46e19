"""What a citizen makes smaller beside items and fields: accounts, rows, how often, how long. Pure.

`tighten` never widens: asking for more than there is, is refused. `inside` is the law both keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from consent.errors import ChoiceError
from consent.items import Item, Terms
from consent.rows import Filters, both, tighter

ONCE = "once"


@dataclass(frozen=True, slots=True)
class Less:
    """What was made smaller, by item name; what is not named stays as it is.

    `accounts` are the references chosen, `cycles` `once` or a period, `end` the last day.
    """

    accounts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    filters: Mapping[str, Filters] = field(default_factory=dict)
    cycles: Mapping[str, str] = field(default_factory=dict)
    end: date | None = None


def tighten(terms: Terms, less: Less) -> Terms:
    """`terms` made smaller. What is said of an item that is not there any more says nothing.

    ChoiceError `choice_unknown` for anything that is not smaller: an account not agreed before, a faster
    cycle, a later end; `nothing_chosen` for no account, or a filter that nothing can pass.
    """
    end = terms.end if less.end is None else less.end
    if not terms.start <= end <= terms.end:
        raise ChoiceError("choice_unknown", member="end")
    return replace(terms, end=end, items=tuple(_less(item, less) for item in terms.items))


def inside(item: Item, outer: Item) -> bool:
    """Whether `item` is `outer` with nothing but something taken away; the names are the same."""
    same = (item.holder, item.dataset, item.required) == (outer.holder, outer.dataset, outer.required)
    fields = bool(item.fields) and item.fields == tuple(n for n in outer.fields if n in item.fields)
    rarer = days_between(item) >= days_between(outer)
    return same and fields and rarer and rows_inside(item, outer)


def rows_inside(item: Item, outer: Item) -> bool:
    """Whether every row `item` lets through passes `outer` too."""
    accounts = outer.accounts is None or (
        item.accounts is not None and set(item.accounts) <= set(outer.accounts)
    )
    since = item.history_from >= outer.history_from
    until = outer.history_to is None or (item.history_to is not None and item.history_to <= outer.history_to)
    return accounts and since and until and tighter(item.filters, outer.filters)


def days_between(item: Item) -> float:
    """Days between two transfers; once is the rarest."""
    return float("inf") if item.frequency_days is None else item.frequency_days


def _less(item: Item, less: Less) -> Item:
    chosen, filters = less.accounts.get(item.name), less.filters.get(item.name)
    found = replace(
        item,
        accounts=item.accounts if chosen is None else tuple(sorted(chosen)),
        filters=both(item.filters, filters),
        frequency=less.cycles.get(item.name, item.frequency),
    )
    if not inside(found, item):
        raise ChoiceError("choice_unknown", item=item.name)
    if found.accounts == () or (found.filters is not None and found.filters.empty):
        raise ChoiceError("nothing_chosen", item=item.name)
    return found
