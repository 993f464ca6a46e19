"""A consent and a second request beside it: what of the request is new, and what both are together. Pure.

Nothing here decides: the citizen is asked about `fresh` and only what they chose of it is `merged`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from consent.calendar import Period
from consent.details_shape import MAX_HOLDERS, MAX_ITEMS
from consent.errors import TermsError
from consent.items import Item, Terms
from consent.rows import either, tighter
from consent.tightening import days_between


def fresh(asked: Terms, standing: Terms) -> tuple[Item, ...]:
    """What `asked` wants beyond `standing`, item by item.

    An item asked more often, further back or with more rows comes whole, to be chosen anew; an item with more
    fields comes with the new fields only, and they are not needed: the item goes on without them. Accounts
    are never asked: what the citizen chose of them stands.
    """
    found = []
    for item in asked.items:
        known = standing.item(item.name)
        if known is None or _wider(item, known):
            found.append(item)
        elif more := tuple(name for name in item.fields if name not in known.fields):
            found.append(replace(item, fields=more, required=False))
    return tuple(found)


def longer(asked: Terms, standing: Terms) -> bool:
    """Whether `asked` begins earlier, ends later or keeps the data longer than `standing`."""
    kept = Period.parse(asked.retention).most_days > Period.parse(standing.retention).most_days
    return kept or asked.end > standing.end or asked.start < standing.start


def asks_more(asked: Terms, before: Terms) -> bool:
    """Whether a citizen who has answered `before` has anything left to be asked by `asked`."""
    return asked.purpose != before.purpose or longer(asked, before) or bool(fresh(asked, before))


def merged(standing: Terms, asked: Terms, chosen: Iterable[Item]) -> Terms:
    """`standing` together with the `chosen` items of `asked`, over the span and retention of both.

    Raises TermsError `merge_purpose_differs`: a consent has one purpose; another one needs a consent of its
    own. `too_many_items` when both together are more than one consent may hold.
    """
    if asked.purpose != standing.purpose:
        raise TermsError("merge_purpose_differs", where="[0].purpose", purpose=standing.purpose)
    items = {item.name: item for item in standing.items}
    for item in chosen:
        items[item.name] = _both(items[item.name], item) if item.name in items else item
    both = Terms(
        purpose=standing.purpose,
        start=min(standing.start, asked.start),
        end=max(standing.end, asked.end),
        retention=max(standing.retention, asked.retention, key=lambda text: Period.parse(text).most_days),
        items=_by_holder(items.values()),
    )
    if len(both.items) > MAX_ITEMS or len(both.holders) > MAX_HOLDERS:
        raise TermsError("too_many_items", limit=MAX_ITEMS)
    return both


def _both(known: Item, more: Item) -> Item:
    return replace(
        known,
        fields=known.fields + tuple(name for name in more.fields if name not in known.fields),
        required=known.required or more.required,
        frequency=min(known, more, key=days_between).frequency,
        history_from=min(known.history_from, more.history_from),
        history_to=_latest(known, more),
        filters=either(known.filters, more.filters),
    )


def _by_holder(items: Iterable[Item]) -> tuple[Item, ...]:
    """In the order in which terms are stored: one holder after the other."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.holder, []).append(item)
    return tuple(item for of_one in found.values() for item in of_one)


def _wider(asked: Item, known: Item) -> bool:
    """Whether `asked` reaches rows or moments that `known` does not, fields and accounts aside."""
    later = known.history_to is not None and _latest(asked, known) != known.history_to
    rows = asked.history_from < known.history_from or later or not tighter(asked.filters, known.filters)
    return rows or days_between(asked) < days_between(known)


def _latest(one: Item, other: Item) -> date | None:
    """The later end of two histories; one without an end has no later."""
    if one.history_to is None or other.history_to is None:
        return None
    return max(one.history_to, other.history_to)
