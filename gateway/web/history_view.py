"""What happened to a consent, in words: every move with what it changed, every transfer, its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consent.changes import Step
from consent.items import Item
from consent.records import By, Move
from consent.usage import ItemOutcome
from gateway.errors import Language
from gateway.web import phrases
from gateway.web.item_names import field_names, item_name
from gateway.web.site import Site
from gateway.web.views import Happened
from gateway.web.words import words

ARRIVED = frozenset({"complete", "empty", "partial"})
"""Outcomes under which something was sent, if only that there is nothing."""


def history_view(
    site: Site,
    steps: Iterable[Step],
    outcomes: Iterable[ItemOutcome],
    language: Language,
    *,
    ended_at: int | None,
) -> tuple[Happened, ...]:
    """Everything that happened, newest first. `ended_at` is when the consent ran out, if no move says so."""
    t = words(language)
    told = [(step.after.changed_at, _said(step, language), _changed(site, step, language)) for step in steps]
    transfers: dict[str, list[ItemOutcome]] = {}
    for outcome in outcomes:
        transfers.setdefault(outcome.transfer_id, []).append(outcome)
    told += [(items[0].at, _transfer(items, language), ()) for items in transfers.values()]
    if ended_at is not None:
        told.append((ended_at, t("event.expired"), ()))
    told.sort(key=lambda one: -one[0])
    return tuple(Happened(phrases.moment(at, language), what, lines) for at, what, lines in told)


def _said(step: Step, language: Language) -> str:
    t, what = words(language), f"event.{step.move.value}"
    closer = (f"{what}_{step.after.why}", f"{what}_by_{step.after.by.value}")
    return t(next((key for key in closer if key in t), what))


def _changed(site: Site, step: Step, language: Language) -> tuple[str, ...]:
    """What the move took, brought or moved, a line each; an answer changes nothing that was agreed before."""
    if step.move is Move.GIVE:
        return ()
    t, found = words(language), step.changes
    because = f"ending_why.{step.after.why}"
    lines = [t(because)] if step.after.by is By.HOLDER and because in t else []
    lines += [t("change.went", what=line) for line in _items(site, step, found.went, language)]
    lines += [t("change.came", what=line) for line in _items(site, step, found.came, language)]
    lines += [t("change.altered", what=item_name(site, item, language)) for item in found.altered]
    if found.end is not None:
        lines.append(t("change.end", end=phrases.day(found.end, language)))
    if found.retention is not None:
        lines.append(t("change.retention", retention=phrases.length(found.retention, language)))
    return tuple(lines)


def _items(site: Site, step: Step, items: Iterable[Item], language: Language) -> Iterator[str]:
    """Whole items by their name; of others the fields, too."""
    both = (step.after.terms, step.before.terms if step.before else step.after.terms)
    for item in items:
        name = item_name(site, item, language)
        whole = not all(terms.item(item.name) for terms in both)
        yield name if whole else f"{name}: {field_names(site, item.dataset, item.fields, language)}"


def _transfer(items: list[ItemOutcome], language: Language) -> str:
    agreed = [item for item in items if set(item.withheld.values()) != {"not_chosen"}]
    sent = [item for item in agreed if item.outcome in ARRIVED]
    if not sent:
        return words(language)("event.nothing_sent")
    short = [item for item in agreed if item.outcome not in {"complete", "empty"}]
    key = "event.sent_partly" if short else "event.sent"
    return words(language)(key, sent=len(sent), missing=len(short))
