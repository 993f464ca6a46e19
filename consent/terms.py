"""The terms of a request or a consent: what, from whom, for what, how often, how far back, until when.

One value from the pushed request to the sealed bundle. Terms only ever shrink: `restrict` is the single way from
one to the next and it cannot add.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from consent.calendar import Period, day_begins, day_ends
from consent.catalogue import Catalogue
from consent.errors import TermsError

DETAILS_TYPE = "mydata_transfer"
"""The one `type` of `authorization_details` (RFC 9396 2) this gateway understands."""


@dataclass(frozen=True, slots=True)
class Item:
    """One dataset of one holder. `fields` keep the order asked; `frequency` is `once` or `P1D`..`P31D`."""

    holder: str
    dataset: str
    fields: tuple[str, ...]
    required: bool
    frequency: str
    history_from: date

    @property
    def name(self) -> str:
        """`HOLDER/DATASET`: the item's name on pages, in policy, manifests and the ledger."""
        return f"{self.holder}/{self.dataset}"

    @property
    def frequency_days(self) -> int | None:
        """Days between two transfers; None when it is sent once."""
        return None if self.frequency == "once" else Period.parse(self.frequency).days


@dataclass(frozen=True, slots=True)
class Terms:
    """What one request asks or one consent allows. `end` is the last day (Korea) on which it holds."""

    purpose: str
    start: date
    end: date
    retention: str
    items: tuple[Item, ...]

    def item(self, name: str) -> Item | None:
        """The item called `HOLDER/DATASET`, if it is in these terms."""
        return next((item for item in self.items if item.name == name), None)

    @property
    def holders(self) -> tuple[str, ...]:
        """The holders, each once, in the order asked."""
        return tuple(dict.fromkeys(item.holder for item in self.items))

    @property
    def start_at(self) -> int:
        """Epoch seconds from which the terms hold."""
        return day_begins(self.start)

    @property
    def end_at(self) -> int:
        """Epoch seconds from which the terms hold no longer."""
        return day_ends(self.end)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a citizen ticked on the consent page; what is not named here was not chosen.

    `items` are the names of items with a switch; `fields` are, per item name, the fields with a switch.
    """

    items: frozenset[str] = frozenset()
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)


def to_details(terms: Terms) -> list[dict[str, Any]]:
    """The terms as `authorization_details`: one object a holder, members and order as they were asked."""
    return [
        {
            "type": DETAILS_TYPE,
            "holder": holder,
            "purpose": terms.purpose,
            "start": terms.start.isoformat(),
            "end": terms.end.isoformat(),
            "retention": terms.retention,
            "items": [_item_details(item) for item in terms.items if item.holder == holder],
        }
        for holder in terms.holders
    ]


def has_switch(item: Item, catalogue: Catalogue) -> bool:
    """Whether the citizen chooses this item itself: it is optional, or its dataset as a whole is sensitive.

    A sensitive dataset is never taken as agreed along with the rest, even if the client needs it (PIPA 23).
    """
    return not item.required or catalogue.dataset(item.dataset).sensitive is not None


def field_switches(item: Item, catalogue: Catalogue) -> tuple[str, ...]:
    """The fields of the item that have a switch of their own, in the order asked."""
    dataset = catalogue.dataset(item.dataset)
    return tuple(name for name in item.fields if dataset.own_switch(name))


def narrow(terms: Terms, choices: Choices, *, catalogue: Catalogue) -> Terms:
    """What the citizen agreed to: required items, chosen items, and of each only the sensitive fields chosen.

    Never widens. TermsError `choice_unknown` for a choice that was not offered, `required_item_not_chosen` when
    an item the client needs would fall away, `nothing_chosen` when nothing would be left.
    """
    _only_offered(terms, choices, catalogue)
    keep: dict[str, tuple[str, ...]] = {}
    for item in terms.items:
        switches = field_switches(item, catalogue)
        chosen = choices.fields.get(item.name, frozenset())
        fields = tuple(name for name in item.fields if name not in switches or name in chosen)
        taken = not has_switch(item, catalogue) or item.name in choices.items
        if taken and fields:
            keep[item.name] = fields
        elif item.required:
            raise TermsError("required_item_not_chosen", item=item.name)
    return restrict(terms, keep)


def restrict(terms: Terms, keep: Mapping[str, Collection[str]]) -> Terms:
    """The same terms with only the items named in `keep`, each with only the fields given there.

    TermsError `choice_unknown` for an item or field the terms do not have, `nothing_chosen` if nothing is left.
    """
    for name, fields in keep.items():
        item = terms.item(name)
        if item is None or not set(fields) <= set(item.fields):
            raise TermsError("choice_unknown", item=name)
    items = []
    for item in terms.items:
        fields = tuple(name for name in item.fields if name in keep.get(item.name, ()))
        if fields:
            items.append(replace(item, fields=fields))
    if not items:
        raise TermsError("nothing_chosen")
    return replace(terms, items=tuple(items))


def _only_offered(terms: Terms, choices: Choices, catalogue: Catalogue) -> None:
    switched = {item.name for item in terms.items if has_switch(item, catalogue)}
    for name in sorted(choices.items - switched):
        raise TermsError("choice_unknown", item=name)
    for name, fields in choices.fields.items():
        item = terms.item(name)
        if item is None or not fields <= set(field_switches(item, catalogue)):
            raise TermsError("choice_unknown", item=name)


def _item_details(item: Item) -> dict[str, Any]:
    return {
        "dataset": item.dataset,
        "fields": list(item.fields),
        "required": item.required,
        "frequency": item.frequency,
        "history_from": item.history_from.isoformat(),
    }
