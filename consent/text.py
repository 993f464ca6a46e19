"""The canonical text of a consent: what the citizen reads before answering, in Korean or English.

Built from terms, catalogue and names only, so the same request gives the same bytes for everyone, always: the
stored hash proves what was shown. The blocks are for the page to set out; the body is what is hashed.
It covers the notice items of PIPA 17(2) and 18(3), Decree 42-5(3) and 신용정보법 33-2(5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from consent.catalogue import Catalogue
from consent.choices import field_switches, has_switch
from consent.items import Item, Terms
from consent.parties import ClientInfo, HolderInfo
from consent.text_rows import row_lines
from consent.text_words import said_date, said_period, treatment, words

TEXT_VERSION = "2026-11-23"
"""Raised whenever the words or the order below change; a stored text keeps the version it was made under."""


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text as shown: `body` in `language` (ko or en), made under `version` of the wording."""

    body: str
    version: str
    language: str

    @property
    def hash(self) -> str:
        """SHA-256 of the UTF-8 bytes of the body, in hex."""
        return hashlib.sha256(self.body.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Block:
    """One part of the text. `id` is stable for the page to style; item blocks are `item:HOLDER/DATASET`."""

    id: str
    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything a text is made from besides the terms."""

    catalogue: Catalogue
    holders: Mapping[str, HolderInfo]
    client: ClientInfo
    language: str
    today: date
    also: tuple[Block, ...] = ()
    """What else this request asks beside the items, word for word."""


def build(terms: Terms, wording: Wording) -> ShownText:
    """The text of `terms`, ready to be shown and stored. Raises CatalogueError `no_legal_basis`."""
    parts = ["\n".join((block.heading, *block.lines)) for block in blocks(terms, wording)]
    return ShownText("\n\n".join(parts) + "\n", TEXT_VERSION, wording.language)


def blocks(terms: Terms, wording: Wording) -> list[Block]:
    """The parts of the text in reading order."""
    say, client, language = words(wording.language), wording.client, wording.language
    service = (client.name or {}).get(language, client.id)
    purpose = wording.catalogue.purposes[terms.purpose]
    who = [say["who_line"].format(legal=client.legal_name or service, service=service)]
    if client.registration:
        who.append(say["registration"].format(number=client.registration))
    if client.contact:
        who.append(say["contact"].format(contact=client.contact))
    span = say["span"].format(start=said_date(terms.start, language), end=said_date(terms.end, language))
    return [
        Block("title", say["title"].format(service=service), ()),
        Block("recipient", say["who"], tuple(who)),
        Block("purpose", say["why"], (purpose.name[language], purpose.about[language])),
        *(_item_block(item, wording) for item in terms.items),
        *wording.also,
        Block(
            "duration",
            say["how_long"],
            (
                span,
                say["may_end_earlier"],
                say["retention"].format(period=said_period(terms.retention, language)),
                say["then_deleted"],
            ),
        ),
        Block("basis", say["basis"], tuple(_bases(terms, wording))),
        Block("rights", say["rights"], (say["may_refuse"], say["may_withdraw"], say["withdraw_not_delete"])),
        Block("safety", say["safety"], (say["no_password"], say["protected"])),
    ]


def _item_block(item: Item, wording: Wording) -> Block:
    say, language = words(wording.language), wording.language
    dataset = wording.catalogue.dataset(item.dataset)
    heading = say["item"].format(
        holder=wording.holders[item.holder].name[language], dataset=dataset.name[language]
    )
    need = say["required"] if item.required else say["optional"]
    lines = [dataset.about[language], need]
    if dataset.sensitive is not None and has_switch(item, wording.catalogue):
        lines.append(say["sensitive_item"].format(kind=say[f"kind_{dataset.sensitive}"]))
    switches = field_switches(item, wording.catalogue)
    for name in item.fields:
        field = dataset.fields[name]
        line = f"- {field.name[language]}"
        if done := treatment(field.treatment, field.parameter, language):
            line += f" ({done})"
        if name in switches:
            line += f" — {say['own_switch']}"
        lines.append(line)
    lines += row_lines(item, dataset, language)
    return Block(f"item:{item.name}", heading, tuple(lines))


def _bases(terms: Terms, wording: Wording) -> Iterator[str]:
    sectors = dict.fromkeys(wording.catalogue.dataset(item.dataset).sector for item in terms.items)
    for sector in sectors:
        row = wording.catalogue.legal_basis(sector, max(wording.today, terms.start))
        name = wording.catalogue.sectors[sector][wording.language]
        yield f"{name}: {row.text[wording.language]} ({row.cite[wording.language]})"
