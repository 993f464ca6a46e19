"""A receipt as the citizen reads and prints it: plain rows, every text already in their language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from babel import Locale

from gateway.errors import Language
from gateway.web import phrases
from gateway.web.articles import article
from gateway.web.item_names import dataset_name, field_names, holder_name
from gateway.web.reasons import reason
from gateway.web.site import Site
from gateway.web.words import Words, words


class Row(NamedTuple):
    """What is said of one thing; `code` where it is a number or a hash to compare letter by letter."""

    name: str
    value: str
    code: bool = False


@dataclass(frozen=True)
class ListedReceipt:
    """One receipt in the list."""

    href: str
    file: str
    kind: str
    when: str


@dataclass(frozen=True)
class ReceiptItem:
    """One item of a receipt: its name and what is said of it."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class ReceiptView:
    """One receipt in words, its times in Korean time; the signed file says them in UTC."""

    title: str
    rows: tuple[Row, ...]
    items: tuple[ReceiptItem, ...]
    proof: str


def receipt_view(site: Site, payload: dict[str, Any], spoken: Language) -> ReceiptView:
    """The rows of a receipt's payload."""
    t, kind = words(spoken), payload["kind"]
    recipient, consent = payload["recipient"], payload["consent"]
    rows: list[Row] = [
        Row(t("receipt.recipient"), f"{recipient['name'].get(spoken, '')} · {recipient['legal_name']}"),
        Row(t("receipt.contact"), recipient["contact"]),
        Row(t("receipt.purpose"), payload["purpose"]["name"][spoken]),
        Row(t("receipt.when"), _moment(payload["event"]["at"], spoken)),
        Row(t("receipt.issued"), _moment(payload["issued_at"], spoken)),
    ]
    numbers = (
        Row(t("receipt.number"), payload["id"], code=True),
        Row(t("receipt.consent"), t("receipt.version", id=consent["id"], version=consent["version"]), True),
    )
    more, items = _OF[kind](site, payload, spoken, t)
    return ReceiptView(
        title=t(f"receipt.kind_{kind}"),
        rows=(*rows, *more, Row(t("receipt.withdraw"), payload["rights"]["withdraw"][spoken]), *numbers),
        items=tuple(items),
        proof=t("receipt.proof", index=payload["ledger"]["index"]),
    )


def _grant(
    _site: Site, payload: dict[str, Any], spoken: Language, t: Words
) -> tuple[list[Row], list[ReceiptItem]]:
    start, end = phrases.day(payload["start"], spoken), phrases.day(payload["end"], spoken)
    country = payload["storage"]["location"]["country"]
    rows = [
        Row(t("receipt.period"), t("detail.span", start=start, end=end)),
        Row(t("receipt.kept"), phrases.length(payload["storage"]["duration"], spoken)),
        Row(t("receipt.place"), Locale(spoken).territories.get(country, country)),
        Row(t("receipt.text"), payload["consent"]["text_sha256"], code=True),
    ]
    if payload["signature"] is not None:
        rows.append(Row(t("receipt.signed"), _moment(payload["signature"]["at"], spoken)))
    items = [
        ReceiptItem(
            f"{item['holder']['name'][spoken]} {item['dataset']['name'][spoken]}",
            (
                Row(t("receipt.fields"), ", ".join(field["name"][spoken] for field in item["fields"])),
                Row(t("receipt.article"), article(item["article"], spoken)),
            ),
        )
        for item in payload["items"]
    ]
    return rows, items


def _use(
    site: Site, payload: dict[str, Any], spoken: Language, t: Words
) -> tuple[list[Row], list[ReceiptItem]]:
    items = []
    for item in payload["items"]:
        holder, _, dataset = item["item"].partition("/")
        rows = [
            Row(t("receipt.sent"), field_names(site, dataset, item["sent"], spoken) or t("receipt.nothing"))
        ]
        rows += [
            Row(
                t("receipt.withheld"),
                f"{field_names(site, dataset, [one['field']], spoken)}: {reason(one['reason'], spoken)}",
            )
            for one in item["withheld"]
        ]
        name = f"{holder_name(site, holder, spoken)} {dataset_name(site, dataset, spoken)}"
        items.append(ReceiptItem(name, tuple(rows)))
    return [Row(t("receipt.bundle"), payload["bundle"]["id"], code=True)], items


def _termination(
    site: Site, payload: dict[str, Any], spoken: Language, t: Words
) -> tuple[list[Row], list[ReceiptItem]]:
    ending, event = payload["ending"], payload["event"]

    def when(at: str | None) -> str:
        return _moment(at, spoken) if at else t("receipt.not_yet")

    rows = [
        Row(t("receipt.ending"), t(f"receipt.ended_{event['state']}")),
        Row(t("receipt.by"), t(f"receipt.by_{event['by']}")),
    ]
    if event["why"]:
        rows.append(Row(t("receipt.why"), reason(event["why"], spoken)))
    if ending["completed_at"]:
        rows.append(Row(t("receipt.completed"), _moment(ending["completed_at"], spoken)))
    items = [
        ReceiptItem(
            _party(site, payload, one, spoken),
            (
                Row(t("receipt.acknowledged"), when(one["acknowledged"])),
                Row(t("receipt.deletion"), t(f"receipt.deletion_{one['deletion']}")),
            ),
        )
        for one in ending["parties"]
    ]
    return rows, items


def _moment(at: str, spoken: Language) -> str:
    """An instant of a receipt as a person in Korea says it."""
    return phrases.moment(int(datetime.fromisoformat(at).timestamp()), spoken)


def _party(site: Site, payload: dict[str, Any], one: dict[str, Any], spoken: Language) -> str:
    """A party as people know it."""
    if one["role"] == "recipient":
        return str(payload["recipient"]["name"].get(spoken, one["party"]))
    return holder_name(site, one["party"], spoken)


_OF = {"grant": _grant, "use": _use, "termination": _termination}
