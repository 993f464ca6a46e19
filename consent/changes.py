"""What one version of a consent has that the one before had not, and the other way round. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from consent.items import Item, Terms
from consent.records import Consent, Move


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two terms. An item that only gained or lost fields stands with those fields alone.

    `altered` are items that differ in something else than fields; `end` and `retention` are the new ones,
    None where they stayed.
    """

    came: tuple[Item, ...] = ()
    went: tuple[Item, ...] = ()
    altered: tuple[Item, ...] = ()
    end: date | None = None
    retention: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a consent: what it was before (None for the first) and after."""

    move: Move
    before: Consent | None
    after: Consent

    @property
    def changes(self) -> Changes:
        """What the move changed of the terms; nothing for the first one."""
        return Changes() if self.before is None else changes(self.before.terms, self.after.terms)


def changes(before: Terms, after: Terms) -> Changes:
    """What `after` has, and has not, compared with `before`."""
    return Changes(
        came=_more(after, before),
        went=_more(before, after),
        altered=tuple(item for item in after.items if _differs(item, before.item(item.name))),
        end=after.end if after.end != before.end else None,
        retention=after.retention if after.retention != before.retention else None,
    )


def _more(one: Terms, other: Terms) -> tuple[Item, ...]:
    """What `one` has beyond `other`: whole items, or items with the fields that are more."""
    found = []
    for item in one.items:
        known = other.item(item.name)
        fields = item.fields if known is None else tuple(f for f in item.fields if f not in known.fields)
        if fields:
            found.append(replace(item, fields=fields))
    return tuple(found)


def _differs(item: Item, known: Item | None) -> bool:
    return known is not None and replace(item, fields=known.fields) != known
