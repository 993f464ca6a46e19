"""The terms of a request or a consent as values: what, from whom, how often, how far back, until when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from consent.calendar import Period, day_begins, day_ends, parse_date
from consent.rows import Filters, filters_details, filters_of

DETAILS_TYPE = "mydata_transfer"
"""The one `type` of `authorization_details` (RFC 9396 2) this gateway understands."""


@dataclass(frozen=True, slots=True)
class Item:
    """One dataset of one holder. `fields` keep the order asked; `frequency` is `once` or `P1D`..`P31D`.

    `accounts`: the references (`consent.accounts`) of the accounts the citizen chose, sorted; None: all and
    later ones too. `filters` and `history_to` bound the rows further; None: no bound.
    """

    holder: str
    dataset: str
    fields: tuple[str, ...]
    required: bool
    frequency: str
    history_from: date
    history_to: date | None = None
    accounts: tuple[str, ...] | None = None
    filters: Filters | None = None

    @property
    def name(self) -> str:
        """`HOLDER/DATASET`: the item's name on pages, in policy, manifests and the ledger."""
        return f"{self.holder}/{self.dataset}"

    @property
    def frequency_days(self) -> int | None:
        """Days between two transfers; None when it is sent once."""
        return None if self.frequency == "once" else Period.parse(self.frequency).days


@dataclass(frozen=True, slots=True)
class Terms:
    """What one request asks or one consent allows. `end` is the last day (Korea) on which it holds."""

    purpose: str
    start: date
    end: date
    retention: str
    items: tuple[Item, ...]

    def item(self, name: str) -> Item | None:
        """The item called `HOLDER/DATASET`, if it is in these terms."""
        return next((item for item in self.items if item.name == name), None)

    @property
    def holders(self) -> tuple[str, ...]:
        """The holders, each once, in the order asked."""
        return tuple(dict.fromkeys(item.holder for item in self.items))

    @property
    def start_at(self) -> int:
        """Epoch seconds from which the terms hold."""
        return day_begins(self.start)

    @property
    def end_at(self) -> int:
        """Epoch seconds from which the terms hold no longer."""
        return day_ends(self.end)


def to_details(terms: Terms) -> list[dict[str, Any]]:
    """The terms as `authorization_details`: one object a holder, members and order as they were asked."""
    return [
        {
            "type": DETAILS_TYPE,
            "holder": holder,
            "purpose": terms.purpose,
            "start": terms.start.isoformat(),
            "end": terms.end.isoformat(),
            "retention": terms.retention,
            "items": [_item_details(item) for item in terms.items if item.holder == holder],
        }
        for holder in terms.holders
    ]


def from_details(details: list[dict[str, Any]]) -> Terms:
    """The terms `to_details` wrote: for what was stored here; requests go through `parse_details`."""
    first = details[0]
    return Terms(
        purpose=first["purpose"],
        start=parse_date(first["start"]),
        end=parse_date(first["end"]),
        retention=first["retention"],
        items=tuple(_item(entry["holder"], item) for entry in details for item in entry["items"]),
    )


def _item(holder: str, raw: dict[str, Any]) -> Item:
    return Item(
        holder=holder,
        dataset=raw["dataset"],
        fields=tuple(raw["fields"]),
        required=raw["required"],
        frequency=raw["frequency"],
        history_from=parse_date(raw["history_from"]),
        **_rows(raw),
    )


def bounded(item: Item, rows: dict[str, Any]) -> Item:
    """`item` with its rows bounded as `row_details` wrote in `rows`, and by nothing else."""
    return replace(item, **_rows(rows))


def _rows(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "history_to": parse_date(raw["history_to"]) if "history_to" in raw else None,
        "accounts": tuple(raw["accounts"]) if "accounts" in raw else None,
        "filters": filters_of(raw.get("filters")),
    }


def _item_details(item: Item) -> dict[str, Any]:
    return {
        "dataset": item.dataset,
        "fields": list(item.fields),
        "required": item.required,
        "frequency": item.frequency,
        "history_from": item.history_from.isoformat(),
        **row_details(item),
    }


def row_details(item: Item) -> dict[str, Any]:
    """The members of an item that bound its rows, as in `authorization_details`.

    Those not set are left out, so that terms without them are written as they always were.
    """
    members: dict[str, Any] = {
        "history_to": item.history_to.isoformat() if item.history_to else None,
        "accounts": None if item.accounts is None else list(item.accounts),
        "filters": filters_details(item.filters) if item.filters else None,
    }
    return {name: value for name, value in members.items() if value is not None}
