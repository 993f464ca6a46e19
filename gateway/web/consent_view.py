"""The question put to the citizen, from the terms asked. Pure: the same terms always show the same."""

from __future__ import annotations

from consent.items import Terms
from consent.parties import ClientInfo
from consent.text import Block
from gateway.errors import Language
from gateway.web import phrases
from gateway.web.choosing_view import cycle_selects, end_select
from gateway.web.item_view import Asking, item_view
from gateway.web.views import (
    BeforeView,
    ConsentView,
    ItemView,
    Party,
    RecognitionView,
    TextBlock,
    UnavailableHolder,
)
from gateway.web.words import Words, words


def consent_view(
    terms: Terms,
    client: ClientInfo,
    asking: Asking,
    *,
    interaction: str,
    text: tuple[Block, ...],
    shown: str,
    answer_by: int,
    before: BeforeView | None = None,
    recognise: RecognitionView | None = None,
    notice: str | None = None,
    failure: str | None = None,
) -> ConsentView:
    """What the page shows. `notice` and `failure` are keys of words, if any.

    `text` is what is kept word for word, under the hash `shown`.
    """
    language, t = asking.language, words(asking.language)
    purpose = asking.catalogue.purposes[terms.purpose]
    views = [(item, item_view(item, purpose, n, asking)) for n, item in enumerate(terms.items, start=1)]
    required = tuple(view for item, view in views if item.required)
    withheld = tuple(view for item, view in views if not item.required and view.withheld)
    optional = tuple(view for item, view in views if not item.required and not view.withheld)
    retention = phrases.length(terms.retention, language)
    end = phrases.day(terms.end, language)
    errors = [(view.box.anchor, view.error) for _, view in views if view.error]
    if failure:
        errors.append(("decision", t(f"errors.{failure}")))
    return ConsentView(
        interaction=interaction,
        shown=shown,
        who=party(client, language),
        what=_what(t, party(client, language).name, required, optional),
        how_long=t("consent.how_long", end=end, retention=retention),
        often=_how_often(terms, language),
        purpose=purpose.name[language],
        why=purpose.about[language],
        start=phrases.day(terms.start, language),
        end=end,
        retention=retention,
        required=required,
        optional=optional,
        withheld=withheld,
        unavailable=_unavailable(t, asking),
        text=tuple(TextBlock(block.heading, block.lines) for block in text),
        answer_by=phrases.clock(answer_by, language),
        errors=tuple(errors),
        before=before,
        recognise=recognise,
        notice=t(f"consent.{notice}") if notice else None,
        cycles=cycle_selects(terms, asking.catalogue, asking.choices.less.cycles, language),
        ends=end_select(terms, asking.catalogue, asking.choices.less.end, language)
        if asking.may_end
        else None,
    )


def party(client: ClientInfo, language: Language) -> Party:
    """The client as the citizen is told about it (PIPA 17(2)1)."""
    name = (client.name or {}).get(language) or client.legal_name
    return Party(name, client.legal_name, client.registration, client.contact)


def _what(t: Words, who: str, required: tuple[ItemView, ...], optional: tuple[ItemView, ...]) -> str:
    if not required and not optional:
        return t("again.what_longer", who=who)
    if not required:
        return t("consent.what_only_optional", who=who, optional=len(optional))
    first = f"{required[0].holder} {required[0].dataset}"
    needed = t("consent.and_more", first=first, count=len(required)) if len(required) > 1 else first
    if not optional:
        return t("consent.what_only_required", who=who, needed=needed)
    return t("consent.what_required", who=who, needed=needed, optional=len(optional))


def _how_often(terms: Terms, language: Language) -> str:
    if not terms.items:
        return words(language)("again.often_same")
    periodic = [item for item in terms.items if item.frequency_days is not None]
    if not periodic:
        return phrases.frequency("once", language)
    most = min(periodic, key=lambda item: item.frequency_days or 0)
    often = phrases.frequency(most.frequency, language)
    alike = len({item.frequency for item in terms.items}) == 1
    return often if alike else words(language)("frequency.many", frequency=often)


def _unavailable(t: Words, asking: Asking) -> tuple[UnavailableHolder, ...]:
    found = []
    for holder, code in asking.unavailable.items():
        name = asking.holders[holder].name[asking.language]
        key = f"unavailable.{code}" if f"unavailable.{code}" in t else "unavailable.other"
        found.append(UnavailableHolder(name, t(key, holder=name)))
    return tuple(found)
