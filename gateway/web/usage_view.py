"""Asked, agreed, really sent, missing and why: each item of a consent in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from consent.choices import within
from consent.records import Consent, State
from consent.usage import ItemOutcome, ItemUse, of_consent
from gateway.errors import Language
from gateway.web import phrases
from gateway.web.articles import article
from gateway.web.item_names import dataset_name, field_names, holder_name
from gateway.web.reasons import reason
from gateway.web.site import Site
from gateway.web.views import Happened, Missing, Outcome
from gateway.web.words import words

_ARRIVED = frozenset({"complete", "empty", "partial"})


def outcomes_view(
    site: Site, consent: Consent, outcomes: Iterable[ItemOutcome], language: Language
) -> tuple[Outcome, ...]:
    """One view an item, in the order asked."""
    return tuple(_outcome(site, use, language) for use in of_consent(consent, outcomes))


def history_view(
    versions: Iterable[Consent],
    outcomes: Iterable[ItemOutcome],
    language: Language,
    *,
    ended_at: int | None,
    amended: Collection[int] = (),
) -> tuple[Happened, ...]:
    """Everything that happened, newest first. `ended_at` is when the consent ran out, if it did.

    `amended` are the versions the citizen agreed to anew (`amendments`).
    """
    t = words(language)
    told = [(version.changed_at, t(f"event.{_move(version, amended)}")) for version in versions]
    transfers: dict[str, list[ItemOutcome]] = {}
    for outcome in outcomes:
        transfers.setdefault(outcome.transfer_id, []).append(outcome)
    told += [(items[0].at, _transfer(items, language)) for items in transfers.values()]
    if ended_at is not None:
        told.append((ended_at, t("event.expired")))
    told.sort(key=lambda pair: -pair[0])
    return tuple(Happened(phrases.moment(at, language), what) for at, what in told)


def amendments(versions: Sequence[Consent]) -> frozenset[int]:
    """Of all versions of a consent those that hold something the one before did not."""
    pairs = pairwise(versions)
    return frozenset(after.version for before, after in pairs if not within(after.terms, before.terms))


def _move(version: Consent, amended: Collection[int]) -> str:
    """What led to this version: the first active one was given, a later one amended or narrowed."""
    if version.state is State.REVOKED:
        return "revoke"
    if version.state is State.REFUSED:
        return "refuse"
    if version.state is State.WITHDRAWN:
        return "withdraw"
    if version.version == 1:
        return "give"
    return "amend" if version.version in amended else "narrow"


def _transfer(items: list[ItemOutcome], language: Language) -> str:
    agreed = [item for item in items if set(item.withheld.values()) != {"not_chosen"}]
    sent = [item for item in agreed if item.outcome in _ARRIVED]
    if not sent:
        return words(language)("event.nothing_sent")
    short = [item for item in agreed if item.outcome not in {"complete", "empty"}]
    key = "event.sent_partly" if short else "event.sent"
    return words(language)(key, sent=len(sent), missing=len(short))


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
    if last.outcome not in _ARRIVED:
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
