"""A receipt as the citizen reads and prints it: plain rows, every text already in their language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.errors import Language
from gateway.web.item_names import dataset_name, field_names, holder_name
from gateway.web.reasons import reason
from gateway.web.site import Site
from gateway.web.words import Words, words

Row = tuple[str, str]


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
    """One receipt in words. Times are UTC, as they are signed."""

    title: str
    rows: tuple[Row, ...]
    items: tuple[ReceiptItem, ...]
    proof: str


def receipt_view(site: Site, payload: dict[str, Any], spoken: Language) -> ReceiptView:
    """The rows of a receipt's payload."""
    t, kind = words(spoken), payload["kind"]
    recipient, consent = payload["recipient"], payload["consent"]
    rows: list[Row] = [
        (t("receipt.number"), payload["id"]),
        (t("receipt.issued"), payload["issued_at"]),
        (t("receipt.recipient"), f"{recipient['name'].get(spoken, '')} · {recipient['legal_name']}"),
        (t("receipt.contact"), recipient["contact"]),
        (t("receipt.purpose"), payload["purpose"]["name"][spoken]),
        (t("receipt.consent"), t("receipt.version", id=consent["id"], version=consent["version"])),
        (t("receipt.when"), payload["event"]["at"]),
    ]
    more, items = _OF[kind](site, payload, spoken, t)
    return ReceiptView(
        title=t(f"receipt.kind_{kind}"),
        rows=(*rows, *more, (t("receipt.withdraw"), payload["rights"]["withdraw"][spoken])),
        items=tuple(items),
        proof=t("receipt.proof", index=payload["ledger"]["index"]),
    )


def _grant(
    _site: Site, payload: dict[str, Any], spoken: Language, t: Words
) -> tuple[list[Row], list[ReceiptItem]]:
    rows = [
        (t("receipt.period"), f"{payload['start']} – {payload['end']}"),
        (t("receipt.kept"), payload["storage"]["duration"]),
        (t("receipt.place"), payload["storage"]["location"]["country"]),
        (t("receipt.text"), payload["consent"]["text_sha256"]),
    ]
    if payload["signature"] is not None:
        rows.append((t("receipt.signed"), payload["signature"]["at"]))
    items = [
        ReceiptItem(
            f"{item['holder']['name'][spoken]} {item['dataset']['name'][spoken]}",
            (
                (t("receipt.fields"), ", ".join(field["name"][spoken] for field in item["fields"])),
                (t("receipt.article"), item["article"]),
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
        rows = [(t("receipt.sent"), field_names(site, dataset, item["sent"], spoken) or t("receipt.nothing"))]
        rows += [
            (
                t("receipt.withheld"),
                f"{field_names(site, dataset, [one['field']], spoken)}: {reason(one['reason'], spoken)}",
            )
            for one in item["withheld"]
        ]
        name = f"{holder_name(site, holder, spoken)} {dataset_name(site, dataset, spoken)}"
        items.append(ReceiptItem(name, tuple(rows)))
    return [(t("receipt.bundle"), payload["bundle"]["id"])], items


def _termination(
    site: Site, payload: dict[str, Any], spoken: Language, t: Words
) -> tuple[list[Row], list[ReceiptItem]]:
    ending, event = payload["ending"], payload["event"]
    rows = [
        (t("receipt.ending"), t(f"receipt.ended_{event['state']}")),
        (t("receipt.by"), t(f"receipt.by_{event['by']}")),
    ]
    if event["why"]:
        rows.append((t("receipt.why"), reason(event["why"], spoken)))
    if ending["completed_at"]:
        rows.append((t("receipt.completed"), ending["completed_at"]))
    items = [
        ReceiptItem(
            _party(site, payload, one, spoken),
            (
                (t("receipt.acknowledged"), one["acknowledged"] or t("receipt.not_yet")),
                (t("receipt.deletion"), t(f"receipt.deletion_{one['deletion']}")),
            ),
        )
        for one in ending["parties"]
    ]
    return rows, items


def _party(site: Site, payload: dict[str, Any], one: dict[str, Any], spoken: Language) -> str:
    """A party as people know it."""
    if one["role"] == "recipient":
        return str(payload["recipient"]["name"].get(spoken, one["party"]))
    return holder_name(site, one["party"], spoken)


_OF = {"grant": _grant, "use": _use, "termination": _termination}
