"""Reads what the citizen ticked out of the posted form: only what the page offered, nothing assumed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from consent.accounts import Offer
from consent.catalogue import Catalogue
from consent.choices import Choices, field_switches, has_switch
from consent.items import Item, Terms
from consent.rows import both
from consent.tightening import Less
from gateway.errors import Problem
from gateway.web import row_choices
from gateway.web.forms import Form


def read_choices(
    form: Form,
    terms: Terms,
    *,
    catalogue: Catalogue,
    withheld: Collection[str],
    offers: Mapping[str, Offer] | None = None,
    may_end: bool = True,
) -> Choices:
    """The ticked boxes. Raises Problem `form_invalid` for a box the page did not have.

    An optional item the law will not let through has no box; nor has anything inside it. `offers` are the
    accounts to choose from by item name; `may_end`: whether the page had a last day to choose.
    """
    boxes = {
        item.name: item for item in terms.items if has_switch(item, catalogue) and not _hidden(item, withheld)
    }
    switches = {
        f"{item.name}/{name}": (item.name, name)
        for item in terms.items
        if not _hidden(item, withheld)
        for name in field_switches(item, catalogue)
    }
    items, fields = form.all("item"), form.all("field")
    if not set(items) <= boxes.keys() or not set(fields) <= switches.keys():
        raise Problem("form_invalid", detail="a box that was not on the page")
    chosen: dict[str, set[str]] = {}
    for value in fields:
        item_name, field_name = switches[value]
        chosen.setdefault(item_name, set()).add(field_name)
    open_items = [item for item in terms.items if not _hidden(item, withheld)]
    accounts, every = row_choices.read_accounts(form, open_items, offers or {})
    less = Less(
        accounts=accounts,
        filters=row_choices.read_filters(form, open_items, catalogue),
        cycles=row_choices.read_cycles(form, terms, catalogue),
        end=row_choices.read_end(form, terms, catalogue) if may_end else None,
    )
    return Choices(frozenset(items), {name: frozenset(found) for name, found in chosen.items()}, less, every)


def wrong_choices(
    terms: Terms, choices: Choices, catalogue: Catalogue, offers: Mapping[str, Offer] | None = None
) -> dict[str, str]:
    """The items whose choice contradicts itself or leaves out what is needed, each with a key of words."""
    taken = {i.name: i.name in choices.items or not has_switch(i, catalogue) for i in terms.items}
    ticked_accounts = (choices.less.accounts, choices.every)
    wrong = dict(row_choices.wrong_rows(terms.items, taken, ticked_accounts, offers or {}))
    for item in terms.items:
        more = choices.less.filters.get(item.name)
        if taken[item.name] and more is not None and (both(item.filters, more) or more).empty:
            wrong[item.name] = "choose_rows"
        ticked, parts = item.name in choices.items, choices.fields.get(item.name)
        if not ticked and item.required and has_switch(item, catalogue):
            wrong[item.name] = "choose_required"
        elif not ticked and not item.required and parts:
            wrong[item.name] = "choose_item"
        elif (ticked or item.required) and not parts and _all_switched(item, catalogue):
            wrong[item.name] = "choose_part"
    return wrong


def _hidden(item: Item, withheld: Collection[str]) -> bool:
    return not item.required and item.name in withheld


def _all_switched(item: Item, catalogue: Catalogue) -> bool:
    return set(item.fields) <= set(field_switches(item, catalogue))
