"""What the citizen sees while narrowing a consent: what is sent now, what would go, what stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from consent.choices import field_switches
from consent.items import Item, Terms
from consent.tightening import Less
from gateway.errors import Language
from gateway.web import phrases
from gateway.web.controls import Select
from gateway.web.forms import Form
from gateway.web.item_names import dataset_name, field_names, holder_name, item_name
from gateway.web.narrow_rows import RowChoices
from gateway.web.site import Site
from gateway.web.views import Party, Switch, TextBlock
from gateway.web.words import words

Keep = Mapping[str, tuple[str, ...]]
"""By item name the fields that stay; what is not named goes."""


@dataclass(frozen=True)
class NarrowItem:
    """One item as it is sent now. `box` is None where the service needs it; `parts` are its boxes inside."""

    holder: str
    dataset: str
    frequency: str
    box: Switch | None
    parts: tuple[Switch, ...]
    accounts: tuple[Switch, ...] = ()
    unlisted: str = ""
    selects: tuple[Select, ...] = ()


@dataclass(frozen=True)
class NarrowView:
    """Everything that is sent now, ticked; to be unticked."""

    who: Party
    version: int
    items: tuple[NarrowItem, ...]
    withdraw: str
    back: str
    error: str | None = None
    cycles: tuple[Select, ...] = ()
    ends: Select | None = None
    paused: bool = False
    """Nothing is sent until the citizen resumes, whatever is ticked."""


@dataclass(frozen=True)
class ChangesView:
    """What would go and what would stay, before the one confirmation; the kept text word for word."""

    who: Party
    version: int
    shown: str
    kept: tuple[tuple[str, str], ...]
    goes: tuple[str, ...]
    stays: tuple[str, ...]
    text: tuple[TextBlock, ...]
    back: str
    paused: bool = False


def boxes_of(item: Item, site: Site) -> tuple[str, ...]:
    """The fields of `item` with a box each: all of an optional one, the sensitive ones of a needed one."""
    return field_switches(item, site.catalogue) if item.required else item.fields


def everything(terms: Terms) -> dict[str, tuple[str, ...]]:
    """All that is agreed to."""
    return {item.name: item.fields for item in terms.items}


def read_kept(form: Form, terms: Terms, site: Site) -> dict[str, tuple[str, ...]] | None:
    """What the ticked boxes leave; None for a box the page did not have.

    An item without its tick goes with all its parts; what has no box stays.
    """
    ticked, parts = set(form.all("item")), set(form.all("field"))
    offered = {item.name for item in terms.items if not item.required}
    inside = {f"{item.name}/{name}" for item in terms.items for name in boxes_of(item, site)}
    if not ticked <= offered or not parts <= inside:
        return None
    kept: dict[str, tuple[str, ...]] = {}
    for item in terms.items:
        if item.required or item.name in ticked:
            boxed = boxes_of(item, site)
            kept[item.name] = tuple(
                name for name in item.fields if name not in boxed or f"{item.name}/{name}" in parts
            )
    return kept


def narrow_items(rows: RowChoices, kept: Keep, less: Less, spoken: Language) -> tuple[NarrowItem, ...]:
    """The items with their boxes; ticked is what `kept` holds, and chosen what `less` does."""
    site, terms = rows.site, rows.terms
    return tuple(
        NarrowItem(
            holder=holder_name(site, item.holder, spoken),
            dataset=dataset_name(site, item.dataset, spoken),
            frequency=words(spoken)("item.how_often", frequency=phrases.frequency(item.frequency, spoken)),
            box=None if item.required else _box(site, item, place, item.name in kept, spoken),
            parts=_parts(site, item, place, kept.get(item.name, ()), spoken),
            accounts=rows.accounts(item, place, less, spoken),
            unlisted=rows.unlisted(item, spoken),
            selects=rows.selects(item, place, less, spoken),
        )
        for place, item in enumerate(terms.items, start=1)
    )


def lines_going(site: Site, terms: Terms, kept: Keep, spoken: Language) -> tuple[str, ...]:
    """What goes: whole items, or fields of one."""
    return tuple(_going(site, terms, kept, spoken))


def lines_staying(rows: RowChoices, terms: Terms, spoken: Language) -> tuple[str, ...]:
    """What is still sent."""
    return tuple(_staying(rows, item, spoken) for item in terms.items)


def _staying(rows: RowChoices, item: Item, spoken: Language) -> str:
    fields = field_names(rows.site, item.dataset, item.fields, spoken)
    which = rows.staying(item, spoken)
    return f"{item_name(rows.site, item, spoken)}: {fields}" + (f" ({which})" if which else "")


def hidden(site: Site, terms: Terms, kept: Keep) -> tuple[tuple[str, str], ...]:
    """The boxes that stay ticked, as the fields the confirmation carries."""
    found = []
    for item in terms.items:
        if item.name in kept and not item.required:
            found.append(("item", item.name))
        found += [
            ("field", f"{item.name}/{name}")
            for name in boxes_of(item, site)
            if name in kept.get(item.name, ())
        ]
    return tuple(found)


def _going(site: Site, terms: Terms, kept: Keep, spoken: Language) -> Iterator[str]:
    for item in terms.items:
        name = item_name(site, item, spoken)
        lost = [field for field in item.fields if field not in kept.get(item.name, ())]
        if item.name not in kept:
            yield name
        elif lost:
            yield f"{name}: {field_names(site, item.dataset, lost, spoken)}"


def _box(site: Site, item: Item, place: int, chosen: bool, spoken: Language) -> Switch:
    about = site.catalogue.dataset(item.dataset).about[spoken]
    return Switch(item.name, f"item-{place}", item_name(site, item, spoken), about, chosen)


def _parts(site: Site, item: Item, place: int, kept: tuple[str, ...], spoken: Language) -> tuple[Switch, ...]:
    known = site.catalogue.dataset(item.dataset).fields
    return tuple(
        Switch(
            value=f"{item.name}/{name}",
            anchor=f"item-{place}-field-{number}",
            label=known[name].name[spoken],
            about="",
            chosen=name in kept,
        )
        for number, name in enumerate(boxes_of(item, site), start=1)
    )
