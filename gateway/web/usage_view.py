"""Asked, agreed, really sent, missing and why: each item of a consent in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from consent.calendar import korean_day
from consent.records import Consent
from consent.usage import ItemOutcome, ItemUse, of_consent
from gateway.errors import Language
from gateway.web import phrases
from gateway.web.articles import article
from gateway.web.history_view import ARRIVED
from gateway.web.item_names import dataset_name, field_names, holder_name
from gateway.web.narrow_rows import RowChoices
from gateway.web.reasons import reason
from gateway.web.site import Site
from gateway.web.views import Missing, Outcome
from gateway.web.words import words


def outcomes_view(
    site: Site,
    consent: Consent,
    outcomes: Iterable[ItemOutcome],
    language: Language,
    labels: Mapping[str, str] | None = None,
) -> tuple[Outcome, ...]:
    """One view an item, in the order asked. `labels` are the masked names of chosen accounts."""
    rows = RowChoices(site, consent.terms, korean_day(site.clock()), labels or {})
    return tuple(
        replace(_outcome(site, use, language), rows=_rows(rows, use, language))
        for use in of_consent(consent, outcomes)
    )


def _rows(rows: RowChoices, use: ItemUse, language: Language) -> str:
    """Which rows of an item are agreed to; empty when all are."""
    item = rows.terms.item(use.item) if use.agreed else None
    return rows.staying(item, language) if item is not None else ""


def _outcome(site: Site, use: ItemUse, language: Language) -> Outcome:
    t = words(language)
    holder, _, dataset = use.item.partition("/")
    if not use.agreed:
        agreed = t("detail.not_chosen")
    elif len(use.agreed) == len(use.asked):
        agreed = t("detail.fields", number=len(use.agreed))
    else:
        agreed = t("detail.some_fields", asked=len(use.asked), chosen=len(use.agreed))
    return Outcome(
        holder=holder_name(site, holder, language),
        dataset=dataset_name(site, dataset, language),
        agreed=agreed,
        sent=_sent(use, language),
        missing=_missing(site, use, dataset, language) if use.agreed else (),
    )


def _sent(use: ItemUse, language: Language) -> str:
    t = words(language)
    if not use.agreed:
        return ""
    if not use.transfers:
        return t("detail.nothing_yet")
    last = use.transfers[0]
    if last.outcome not in ARRIVED:
        return t("detail.nothing_sent")
    return t("detail.records", when=phrases.moment(last.at, language), records=f"{last.records:,}")


def _missing(site: Site, use: ItemUse, dataset: str, language: Language) -> tuple[Missing, ...]:
    """Grouped by reason; a reason that takes the whole item, or records of it, names no fields."""
    last = use.transfers[0] if use.transfers else None
    groups: dict[str, list[str]] = {}
    for name, code in use.missing.items():
        if code != "not_sent_yet":
            groups.setdefault(code, []).append(name)
    found = []
    for code, names in groups.items():
        whole = set(names) >= set(use.agreed)
        law = last.article if last and last.article and last.reason == code else ""
        fields = "" if whole else field_names(site, dataset, names, language)
        found.append(Missing(fields, reason(code, language), article(law, language)))
    if last and last.outcome == "partial" and last.reason and last.reason not in groups:
        found.append(Missing("", reason(last.reason, language), ""))
    return tuple(found)
