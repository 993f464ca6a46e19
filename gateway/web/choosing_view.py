"""The controls by which a citizen makes an item, a cycle or a consent smaller, as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from consent.accounts import Offer
from consent.catalogue import Catalogue
from consent.items import Item, Terms
from consent.parties import HolderInfo
from consent.rows import Filters
from gateway.errors import Language
from gateway.web import phrases, row_choices
from gateway.web.controls import AccountsView, Option, Select, Switch
from gateway.web.words import Words, words


@dataclass(frozen=True)
class Choosing:
    """What choosing is drawn from: what is offered, and what is ticked (`row_choices.ALL` for all).

    `offers`, `accounts` and `filters` are by item name.
    """

    language: Language
    catalogue: Catalogue
    holders: Mapping[str, HolderInfo]
    offers: Mapping[str, Offer]
    accounts: Mapping[str, frozenset[str]]
    filters: Mapping[str, Filters]
    first: str = "choosing.as_asked"
    """The words of the choice that changes nothing."""


def accounts_view(item: Item, anchor: str, of: Choosing) -> AccountsView | None:
    """The accounts of `item`, under anchors that begin with `anchor`; None where there are none to tell."""
    account = of.catalogue.dataset(item.dataset).account
    offer = of.offers.get(item.name)
    if account is None or offer is None or not (offer.accounts or offer.missing):
        return None
    t, name = words(of.language), account.name[of.language]
    legend, ticked = t("choosing.accounts", account=name), of.accounts.get(item.name, frozenset())
    if offer.missing is not None:
        holder = of.holders[item.holder].name[of.language]
        return AccountsView(legend, t("choosing.not_listed", holder=holder, account=name))
    blocked = tuple(
        (one.label, t(f"choosing.blocked_{one.blocked}")) for one in offer.accounts if one.blocked
    )
    if not offer.open:
        return AccountsView(legend, t("choosing.none"), (), blocked)
    if len(offer.open) == 1:
        only = offer.open[0]
        box = Switch(
            f"{item.name}/{only.ref}",
            f"{anchor}-account-1",
            t("choosing.only", label=only.label),
            t("choosing.only_about"),
            only.ref in ticked,
        )
        return AccountsView(legend, t("choosing.accounts_about"), (box,), blocked)
    about = t("choosing.account_about", account=name)
    single = tuple(
        Switch(f"{item.name}/{one.ref}", f"{anchor}-account-{n}", one.label, about, one.ref in ticked)
        for n, one in enumerate(offer.open, start=1)
    )
    every = Switch(
        f"{item.name}/{row_choices.ALL}",
        f"{anchor}-account-all",
        t("choosing.all", account=name),
        t("choosing.all_about"),
        row_choices.ALL in ticked,
    )
    return AccountsView(legend, t("choosing.accounts_about"), (*single, every), blocked)


def filter_selects(item: Item, anchor: str, of: Choosing) -> tuple[Select, ...]:
    """Kind and amount of `item`, where they can be chosen."""
    t, chosen = words(of.language), of.filters.get(item.name) or Filters()
    dataset, found = of.catalogue.dataset(item.dataset), []
    if (kinds := row_choices.kinds_of(item, of.catalogue)) and dataset.kinds is not None:
        named = {kind: dataset.kinds.values[kind][of.language] for kind in kinds}
        picked = chosen.types[0] if chosen.types else None
        asked = ", ".join(named.values()) if item.filters and item.filters.types else t("choosing.any")
        options = _options(item, t(of.first, asked=asked), named, picked)
        found.append(Select("kind", f"{anchor}-kind", t("choosing.kind"), options))
    if amounts := row_choices.amounts_of(item, of.catalogue):
        limits = item.filters or Filters()
        said = {str(amount): f"{amount:,}" for amount in amounts}
        for member, asked_bound, bound in (
            ("least", limits.least, chosen.least),
            ("most", limits.most, chosen.most),
        ):
            asked = t("choosing.any") if asked_bound is None else f"{asked_bound:,}"
            first = t(of.first, asked=asked)
            options = _options(item, first, said, None if bound is None else str(bound))
            found.append(Select(member, f"{anchor}-{member}", t(f"choosing.{member}"), options))
    return tuple(found)


def cycle_selects(
    terms: Terms,
    catalogue: Catalogue,
    chosen: Mapping[str, str],
    language: Language,
    first: str = "choosing.as_asked",
) -> tuple[Select, ...]:
    """How often each class is sent, where slower can be chosen; `chosen` by item name."""
    t, found = words(language), []
    for name, (asked, slower) in row_choices.classes_of(terms, catalogue).items():
        if not slower:
            continue
        of_class = {i.name for i in terms.items if catalogue.dataset(i.dataset).cycle_class == name}
        picked = next((cycle for item, cycle in chosen.items() if item in of_class), None)
        unchanged = t(first, asked=phrases.frequency(asked, language))
        options = (
            Option("", unchanged, picked is None),
            *(Option(cycle, phrases.frequency(cycle, language), cycle == picked) for cycle in slower),
        )
        found.append(Select(f"cycle-{name}", f"cycle-{name}", t(f"choosing.cycle_{name}"), options))
    return tuple(found)


def end_select(
    terms: Terms, catalogue: Catalogue, chosen: date | None, language: Language, now: date | None = None
) -> Select | None:
    """The last day; None where only the one asked can be chosen."""
    t, (offered, proposed) = words(language), row_choices.ends_of(terms, catalogue, now)
    if len(offered) == 1:
        return None
    picked = chosen or proposed
    options = tuple(
        Option(day.isoformat(), _day(day, terms, proposed, t, now), day == picked) for day in offered
    )
    return Select("end", "end", t("choosing.end"), options)


def _day(day: date, terms: Terms, proposed: date, t: Words, now: date | None) -> str:
    said = phrases.day(day, t.language)
    if now is not None:
        return t("choosing.as_now", asked=said) if day == terms.end else said
    if day != terms.end:
        return said
    return t("choosing.end_asked" if proposed == terms.end else "choosing.end_longest", date=said)


def _options(item: Item, first: str, named: Mapping[str, str], picked: str | None) -> tuple[Option, ...]:
    rest = (Option(f"{item.name}/{value}", label, value == picked) for value, label in named.items())
    return (Option(f"{item.name}/", first, picked is None), *rest)
