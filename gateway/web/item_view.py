"""One item as the page shows it: the catalogue's words around what the client asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from consent.accounts import Offer
from consent.calendar import Period
from consent.catalogue import Catalogue, Purpose
from consent.choices import Choices, field_switches, has_switch
from consent.items import Item
from consent.parties import HolderInfo
from consent.text_rows import filter_lines
from gateway.errors import Language
from gateway.web import phrases, row_choices
from gateway.web.choosing_view import Choosing, accounts_view, filter_selects
from gateway.web.controls import Switch
from gateway.web.views import ItemView
from gateway.web.words import words


@dataclass(frozen=True)
class Asking:
    """What the view of a request is made from, beside its terms.

    `unavailable` names holders that cannot be reached now with a reason code; `withheld` names items the
    law will not let through, with the reason in words; `wrong` names items whose choice needs attention.
    `offers` are the accounts to choose from, by item name; `may_end`: whether the last day can be
    chosen. `changed` says of an item, by name, what is different from what holds now.
    """

    language: Language
    catalogue: Catalogue
    holders: Mapping[str, HolderInfo]
    choices: Choices = field(default_factory=Choices)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    offers: Mapping[str, Offer] = field(default_factory=dict)
    may_end: bool = True
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def choosing(self) -> Choosing:
        """What the controls that make an item smaller are drawn from."""
        choices, every = self.choices, frozenset({row_choices.ALL})
        ticked = dict.fromkeys(choices.every, every)
        for name, refs in choices.less.accounts.items():
            ticked[name] = ticked.get(name, frozenset()) | refs
        return Choosing(
            self.language, self.catalogue, self.holders, self.offers, ticked, choices.less.filters
        )


def item_view(item: Item, purpose: Purpose, place: int, asking: Asking) -> ItemView:
    """The view of `item`, the `place`-th of its request."""
    t = words(asking.language)
    dataset = asking.catalogue.dataset(item.dataset)
    name = dataset.name[asking.language]
    holder = asking.holders[item.holder].name[asking.language]
    label = t("item.required_box", dataset=name) if item.required else name
    error = asking.wrong.get(item.name)
    reason = asking.withheld.get(item.name)
    return ItemView(
        box=Switch(
            value=item.name,
            anchor=f"item-{place}",
            label=f"{holder} · {label}",
            about=dataset.about[asking.language],
            chosen=item.name in asking.choices.items,
        ),
        holder=holder,
        dataset=name,
        chosen_singly=has_switch(item, asking.catalogue),
        frequency=t("item.how_often", frequency=phrases.frequency(item.frequency, asking.language)),
        sensitive=t(f"item.sensitive_{dataset.sensitive}") if dataset.sensitive else None,
        too_often=_too_often(item, purpose, asking.language),
        history=_history(item, asking.language),
        switches=_switches(item, place, asking),
        unavailable=t("item.unavailable") if item.holder in asking.unavailable else None,
        withheld=t("item.withheld", reason=reason) if reason else None,
        error=t(f"errors.{error}", item=f"{holder} {name}") if error else None,
        cycle_class=t(f"choosing.{dataset.cycle_class}"),
        accounts=accounts_view(item, f"item-{place}", asking.choosing),
        selects=filter_selects(item, f"item-{place}", asking.choosing),
        filters=tuple(filter_lines(item.filters, dataset, asking.language)) if item.filters else (),
        changed=asking.changed.get(item.name, ()),
    )


def _history(item: Item, language: Language) -> str:
    t, since = words(language), phrases.day(item.history_from, language)
    if item.history_to is None:
        return t("item.history", date=since)
    return t("choosing.history_span", start=since, end=phrases.day(item.history_to, language))


def _switches(item: Item, place: int, asking: Asking) -> tuple[Switch, ...]:
    t = words(asking.language)
    dataset = asking.catalogue.dataset(item.dataset)
    chosen = asking.choices.fields.get(item.name, frozenset())
    return tuple(
        Switch(
            value=f"{item.name}/{name}",
            anchor=f"item-{place}-field-{number}",
            label=dataset.fields[name].name[asking.language],
            about=t(f"item.sensitive_{dataset.fields[name].sensitive}"),
            chosen=name in chosen,
        )
        for number, name in enumerate(field_switches(item, asking.catalogue), start=1)
    )


def _too_often(item: Item, purpose: Purpose, language: Language) -> str | None:
    usual = Period.parse(purpose.usual_frequency).most_days
    if item.frequency_days is None or item.frequency_days >= usual:
        return None
    return words(language)("item.too_often", usual=phrases.frequency(purpose.usual_frequency, language))
