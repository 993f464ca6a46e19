"""What a citizen chooses among the terms asked. Terms only ever shrink: nothing here can add.

`restrict` is the single way from terms to smaller terms; `narrow` adds the rules of the consent page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from consent.catalogue import Catalogue
from consent.errors import ChoiceError
from consent.items import Item, Terms
from consent.tightening import Less, inside, tighten


@dataclass(frozen=True, slots=True)
class Choices:
    """What a citizen ticked on the consent page; what is not named here was not chosen.

    `items` are the names of items with a switch; `fields` are, per item name, the fields with a switch.
    `less` is what the citizen made smaller beside them: accounts, rows, cycles, the end; `every` names the
    items of which they said that all accounts are meant.
    """

    items: frozenset[str] = frozenset()
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    less: Less = field(default_factory=Less)
    every: frozenset[str] = frozenset()


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
    """What the citizen agreed to: required and chosen items, and of each only the sensitive fields chosen.

    Never widens. ChoiceError `choice_unknown` for a choice that was not offered, `required_item_not_chosen`
    when an item the client needs would fall away, `nothing_chosen` when nothing would be left.
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
            raise ChoiceError("required_item_not_chosen", item=item.name)
    return tighten(restrict(terms, keep), choices.less)


def restrict(terms: Terms, keep: Mapping[str, Collection[str]]) -> Terms:
    """The same terms with only the items named in `keep`, each with only the fields given there.

    ChoiceError `choice_unknown` for an item or field the terms do not have, `nothing_chosen` if none is left.
    """
    for name, fields in keep.items():
        item = terms.item(name)
        if item is None or not set(fields) <= set(item.fields):
            raise ChoiceError("choice_unknown", item=name)
    items = []
    for item in terms.items:
        fields = tuple(name for name in item.fields if name in keep.get(item.name, ()))
        if fields:
            items.append(replace(item, fields=fields))
    if not items:
        raise ChoiceError("nothing_chosen")
    return replace(terms, items=tuple(items))


def _only_offered(terms: Terms, choices: Choices, catalogue: Catalogue) -> None:
    switched = {item.name for item in terms.items if has_switch(item, catalogue)}
    for name in sorted(choices.items - switched):
        raise ChoiceError("choice_unknown", item=name)
    for name, fields in choices.fields.items():
        item = terms.item(name)
        if item is None or not fields <= set(field_switches(item, catalogue)):
            raise ChoiceError("choice_unknown", item=name)


def within(terms: Terms, outer: Terms) -> bool:
    """Whether `terms` are `outer` with nothing but something taken away.

    Items, fields, accounts and rows may be fewer, a cycle slower, the history shorter, the end earlier.
    """
    same = replace(outer, end=terms.end, items=()) == replace(terms, items=())
    if not same or not terms.start <= terms.end <= outer.end or not terms.items:
        return False
    known = [outer.item(item.name) for item in terms.items]
    order = [outer.items.index(item) for item in known if item is not None]
    return (
        len(order) == len(known)
        and order == sorted(set(order))
        and all(item is not None and inside(one, item) for one, item in zip(terms.items, known, strict=True))
    )
