"""What the pages of a citizen's own requests show: what can be asked on which ground, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consent.calendar import korean_day_of
from consent.exclusions import asked_item
from consent.refusal_grounds import grounds
from consent.rights import ENDED, HELD, AskedItem, Received, SelfRequest
from gateway.errors import Language
from gateway.web import phrases
from gateway.web.articles import article
from gateway.web.item_names import dataset_name, field_names, holder_name
from gateway.web.reasons import reason
from gateway.web.site import Site
from gateway.web.views import Switch
from gateway.web.words import words


@dataclass(frozen=True)
class OfferedHolder:
    """One holder that knows the citizen, on which ground it hands data over, and what there is."""

    name: str
    ground: str
    cite: str
    boxes: tuple[Switch, ...]


@dataclass(frozen=True)
class RequestCard:
    """One request in the list."""

    href: str
    title: str
    state: str
    state_kind: str
    asked: str


@dataclass(frozen=True)
class ItemLine:
    """One item of a request: asked, came, left out and why."""

    holder: str
    dataset: str
    outcome: str
    reason: str
    ground: str
    article: str
    excluded: str


@dataclass(frozen=True)
class RequestView:
    """One request. `can_fetch`: the file is there; `can_cancel`: it is not over yet."""

    card: RequestCard
    reference: str
    items: tuple[ItemLine, ...]
    delay: str | None
    refusal: str | None
    refusal_ground: str | None
    until: str | None
    fetched: str | None
    can_fetch: bool
    can_cancel: bool
    waiting: bool


def offered(site: Site, linked: Iterable[str], spoken: Language) -> tuple[OfferedHolder, ...]:
    """Every linked holder with its datasets; where there is no duty yet the page says so."""
    found, today = [], korean_day_of(site.now())
    for holder in linked:
        if (info := site.holders.get(holder)) is None:
            continue
        duty = site.catalogue.self_download(info.sector, today)
        boxes = tuple(
            _box(site, holder, dataset.id, spoken)
            for dataset in site.catalogue.datasets.values()
            if dataset.sector == info.sector
        )
        ground = duty.text[spoken] if duty else words(spoken)("rights.no_duty")
        found.append(OfferedHolder(info.name[spoken], ground, duty.cite[spoken] if duty else "", boxes))
    return tuple(found)


def _box(site: Site, holder: str, dataset: str, spoken: Language) -> Switch:
    asked = asked_item(site.catalogue, holder, dataset)
    return Switch(
        value=asked.name,
        anchor=f"own-{holder}-{dataset}".replace(".", "-"),
        label=dataset_name(site, dataset, spoken),
        about=site.catalogue.dataset(dataset).about[spoken],
        chosen=False,
    )


def card(site: Site, request: SelfRequest, spoken: Language) -> RequestCard:
    """One line of the list."""
    first = request.items[0]
    name = f"{holder_name(site, first.holder, spoken)} {dataset_name(site, first.dataset, spoken)}"
    t, more = words(spoken), len(request.items) - 1
    return RequestCard(
        href=f"/my/rights/{request.id}",
        title=t("rights.and_more", first=name, count=more) if more else name,
        state=t(f"right_state.{request.state.value}"),
        state_kind="active" if request.state in HELD else "expired" if request.state in ENDED else "paused",
        asked=phrases.moment(request.asked_at, spoken),
    )


def view(site: Site, request: SelfRequest, spoken: Language) -> RequestView:
    """The whole page of one request."""
    t, told = words(spoken), {one.item: one for one in request.received}
    held, over = request.state in HELD, request.state in ENDED
    ground = grounds()[request.ground] if request.ground else None
    delay = None
    if request.delayed_at is not None and request.solved_at is None and not over:
        when = phrases.moment(request.delayed_at, spoken)
        delay = t("rights.delayed", when=when, reason=reason(request.delay_reason or "", spoken))
    return RequestView(
        card=card(site, request, spoken),
        reference=request.id,
        items=tuple(_line(site, item, told.get(item.name), spoken) for item in request.items),
        delay=delay,
        refusal=reason(request.reason, spoken) if over and request.reason else None,
        refusal_ground=f"{ground.words[spoken]} ({article(ground.article, spoken)})" if ground else None,
        until=phrases.moment(request.held_until, spoken) if held and request.held_until else None,
        fetched=phrases.moment(request.fetched_at, spoken) if request.fetched_at else None,
        can_fetch=held,
        can_cancel=not over,
        waiting=not over and bool(request.pending),
    )


def _line(site: Site, item: AskedItem, received: Received | None, spoken: Language) -> ItemLine:
    t = words(spoken)
    outcome = received.outcome if received else "pending"
    ground = grounds()[received.ground] if received and received.ground else None
    excluded = field_names(site, item.dataset, item.excluded, spoken)
    return ItemLine(
        holder=holder_name(site, item.holder, spoken),
        dataset=dataset_name(site, item.dataset, spoken),
        outcome=t(f"right_outcome.{outcome}", count=received.records if received else 0),
        reason=reason(received.reason, spoken) if received and received.reason else "",
        ground=ground.words[spoken] if ground else "",
        article=article(ground.article, spoken) if ground else "",
        excluded=t("rights.excluded", fields=excluded) if excluded else "",
    )
