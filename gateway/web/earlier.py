"""A page that asks again: what the citizen chose before is ticked once more, and what is different is said.

Ticked is only what was chosen, is still asked for in the same measure and is not sensitive (PIPA 22, 23): a
sensitive dataset or field, anything new and anything wider is always left to the citizen. A citizen under 18
finds every box empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from consent.accounts import Offer
from consent.asked_more import Change, change
from consent.catalogue import Catalogue
from consent.choices import Choices, field_switches, has_switch
from consent.items import Item, Terms
from consent.records import Consent
from consent.tightening import Less
from gateway.errors import Language
from gateway.security.sessions import CitizenSession
from gateway.web import phrases
from gateway.web.item_names import field_names
from gateway.web.site import Site
from gateway.web.words import words


class Again(Protocol):
    """As much of a question as is needed: what is asked of whom, and what stands."""

    @property
    def standing(self) -> Consent | None: ...  # noqa: D102
    @property
    def terms(self) -> Terms: ...  # noqa: D102
    @property
    def citizen(self) -> CitizenSession: ...  # noqa: D102
    @property
    def withheld(self) -> Collection[str]: ...  # noqa: D102
    @property
    def offers(self) -> Mapping[str, Offer]: ...  # noqa: D102


def chosen_before(found: Again, catalogue: Catalogue) -> Choices:
    """The choices the page begins with; none for a first question."""
    if found.standing is None or found.citizen.age_band != "adult":
        return Choices()
    items: set[str] = set()
    accounts: dict[str, frozenset[str]] = {}
    every: set[str] = set()
    for item in found.terms.items:
        before = found.standing.terms.item(item.name)
        if before is None or item.name in found.withheld or not _same(item, before, catalogue):
            continue
        offer = found.offers.get(item.name) or Offer()
        if before.accounts is None:
            every |= {item.name} if len(offer.open) > 1 else set()
        elif kept := frozenset(before.accounts) & {one.ref for one in offer.open}:
            accounts[item.name] = kept
        else:
            continue
        items |= {item.name} if has_switch(item, catalogue) else set()
    return Choices(frozenset(items), {}, Less(accounts=accounts), frozenset(every))


def changes(site: Site, found: Again, language: Language) -> dict[str, tuple[str, ...]]:
    """What each item asks that does not hold now, in words, by item name; nothing for a first question."""
    if found.standing is None:
        return {}
    said = {}
    for item in found.terms.items:
        before = found.standing.terms.item(item.name)
        if lines := tuple(_lines(site, (item, before), found.offers, language)):
            said[item.name] = lines
    return said


def _same(item: Item, before: Item, catalogue: Catalogue) -> bool:
    """Whether nothing but sensitive fields, which have boxes of their own, is asked beyond `before`."""
    if catalogue.dataset(item.dataset).sensitive is not None:
        return False
    asked, switches = change(item, before), set(field_switches(item, catalogue))
    plain = set(item.fields) - switches
    return not asked.more and bool(plain) and set(asked.fields) <= switches


def _lines(
    site: Site, pair: tuple[Item, Item | None], offers: Mapping[str, Offer], language: Language
) -> Iterator[str]:
    t, (item, before) = words(language), pair
    if before is None:
        yield t("changed.new")
        return
    found: Change = change(item, before)
    if found.fields:
        yield t("changed.fields", fields=field_names(site, item.dataset, found.fields, language))
    if found.oftener or found.slower:
        key = "changed.oftener" if found.oftener else "changed.slower"
        yield t(key, before=phrases.frequency(before.frequency, language))
    if found.further_back:
        yield t("changed.further_back", date=phrases.day(before.history_from, language))
    if found.later and before.history_to is not None:
        yield t("changed.later", date=phrases.day(before.history_to, language))
    if found.rows:
        yield t("changed.rows")
    if before.accounts is not None and not (offers.get(item.name) or Offer()).open:
        yield t("changed.accounts")
