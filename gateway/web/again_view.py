"""What the consent page says of the consent there is already, when a request adds to it or replaces it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from consent.calendar import Period
from consent.items import Item, Terms
from consent.records import Consent
from gateway.errors import Language
from gateway.web import phrases
from gateway.web.item_names import field_names, item_name
from gateway.web.site import Site
from gateway.web.views import BeforeView
from gateway.web.words import words


class Asks(Protocol):
    """As much of a question as is needed: what would hold after a full yes, and whether it is added."""

    @property
    def whole(self) -> Terms: ...  # noqa: D102
    @property
    def merging(self) -> bool: ...  # noqa: D102


def before_view(
    site: Site, standing: Consent, asks: Asks, language: Language, *, ticked: bool = False
) -> BeforeView:
    """What stays as agreed, and what ends with a yes although it was agreed before."""
    t, whole = words(language), asks.whole
    stays, ends = [], []
    for item in standing.terms.items:
        name, kept = item_name(site, item, language), whole.item(item.name)
        lost = [field for field in item.fields if kept is None or field not in kept.fields]
        if kept is None:
            ends.append(name)
        elif lost:
            ends.append(f"{name}: {field_names(site, item.dataset, lost, language)}")
        elif asks.merging:
            stays.append(_with_cycle(name, item, language))
    given = phrases.moment(standing.changed_at, language)
    return BeforeView(
        about=t("again.merge" if asks.merging else "again.replace", when=given),
        stays=tuple(stays),
        ends=tuple(ends),
        until=t("again.until", end=phrases.day(standing.terms.end, language)),
        ticked=ticked,
        longer=tuple(_span(standing.terms, whole, language)),
    )


def _span(before: Terms, after: Terms, language: Language) -> Iterator[str]:
    t = words(language)
    if after.end != before.end:
        key = "changed.longer" if after.end > before.end else "changed.shorter"
        yield t(key, before=phrases.day(before.end, language), after=phrases.day(after.end, language))
    if Period.parse(after.retention).most_days > Period.parse(before.retention).most_days:
        kept = (phrases.length(one.retention, language) for one in (before, after))
        yield t("changed.kept", before=next(kept), after=next(kept))


def _with_cycle(name: str, item: Item, language: Language) -> str:
    return f"{name} ({phrases.frequency(item.frequency, language)})"
