"""Reads `authorization_details` (RFC 9396) into `Terms`, strictly, with a code for each reason to refuse.

Shape first (`details_shape`), then meaning: catalogue, holder, purpose, limits. A refusal tells the client
which object, item or field is wrong and, where there is one, the limit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from consent.calendar import Period, parse_date
from consent.catalogue import Catalogue, Dataset, Purpose
from consent.details_rows import asked_filters
from consent.details_shape import MAX_ITEMS, objects
from consent.errors import CatalogueError, TermsError
from consent.items import Item, Terms
from consent.parties import ClientInfo, HolderInfo

FURTHEST_START_DAYS = 366
_SHARED = ("purpose", "start", "end", "retention")
_FREQUENCY = re.compile(r"once|P(?:[1-9]|[12][0-9]|3[01])D", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Asking:
    catalogue: Catalogue
    holders: Mapping[str, HolderInfo]
    client: ClientInfo
    today: date


def parse_details(
    details: object,
    *,
    catalogue: Catalogue,
    holders: Mapping[str, HolderInfo],
    client: ClientInfo,
    today: date,
) -> Terms:
    """The terms a client asks for; `details` is decoded JSON, `today` the day it is in Korea.

    Raises TermsError; its code is stable and every one of them is `invalid_authorization_details` in OAuth.
    """
    asking = _Asking(catalogue, holders, client, today)
    entries = objects(details)
    first = entries[0]
    for place, entry in enumerate(entries):
        for member in _SHARED:
            if entry[member] != first[member]:
                raise TermsError("details_not_shared", where=f"[{place}].{member}")
    purpose = _purpose(first["purpose"], asking)
    start, end = _day("[0].start", first["start"]), _day("[0].end", first["end"])
    _check_span(start, end, purpose, today)
    _check_retention(first["retention"], purpose)
    items: list[Item] = []
    for place, entry in enumerate(entries):
        holder = _holder(f"[{place}].holder", entry["holder"], purpose, asking)
        if any(item.holder == holder.id for item in items):
            raise TermsError("duplicate_holder", where=f"[{place}].holder", holder=holder.id)
        items += _items(f"[{place}]", entry["items"], holder, asking)
    if len(items) > MAX_ITEMS:
        raise TermsError("too_many_items", where="authorization_details", limit=MAX_ITEMS)
    return Terms(purpose.id, start, end, first["retention"], tuple(items))


def _purpose(id: str, asking: _Asking) -> Purpose:
    found = asking.catalogue.purposes.get(id)
    if found is None:
        raise TermsError("purpose_unknown", where="[0].purpose")
    if id not in asking.client.purposes:
        raise TermsError("purpose_not_allowed", where="[0].purpose", purpose=id)
    return found


def _check_span(start: date, end: date, purpose: Purpose, today: date) -> None:
    if end < start:
        raise TermsError("end_before_start", where="[0].end", start=start.isoformat(), end=end.isoformat())
    if start < today - timedelta(days=1):
        raise TermsError("start_in_past", where="[0].start", start=start.isoformat())
    if start > today + timedelta(days=FURTHEST_START_DAYS):
        raise TermsError("start_too_far", where="[0].start", limit_days=FURTHEST_START_DAYS)
    if end < today:
        raise TermsError("end_in_past", where="[0].end", end=end.isoformat())
    latest = purpose.max_period.after(start)
    if end > latest:
        raise TermsError("period_too_long", where="[0].end", purpose=purpose.id, latest=latest.isoformat())


def _check_retention(text: str, purpose: Purpose) -> None:
    try:
        asked = Period.parse(text)
    except ValueError as error:
        raise TermsError("details_malformed", where="[0].retention") from error
    if asked.most_days > purpose.max_retention.most_days:
        limit = purpose.max_retention.most_days
        raise TermsError("retention_too_long", where="[0].retention", purpose=purpose.id, limit_days=limit)


def _holder(where: str, id: str, purpose: Purpose, asking: _Asking) -> HolderInfo:
    found = asking.holders.get(id)
    if found is None:
        raise TermsError("holder_unknown", where=where, holder=id[:64])
    if asking.client.holders is not None and id not in asking.client.holders:
        raise TermsError("holder_not_in_consortium", where=where, holder=id)
    if found.sector not in purpose.sectors:
        raise TermsError("purpose_not_for_sector", where=where, purpose=purpose.id, sector=found.sector)
    return found


def _items(where: str, entries: list[dict[str, Any]], holder: HolderInfo, asking: _Asking) -> list[Item]:
    items: list[Item] = []
    for place, entry in enumerate(entries):
        item = _item(f"{where}.items[{place}]", entry, holder, asking)
        if any(other.dataset == item.dataset for other in items):
            raise TermsError("duplicate_item", where=f"{where}.items[{place}]", item=item.name)
        items.append(item)
    return items


def _item(where: str, entry: dict[str, Any], holder: HolderInfo, asking: _Asking) -> Item:
    try:
        dataset = asking.catalogue.dataset(entry["dataset"])
    except CatalogueError as error:
        place, named = f"{where}.dataset", entry["dataset"][:80]
        raise TermsError("item_not_in_catalogue", where=place, dataset=named) from error
    if dataset.sector != holder.sector:
        place = f"{where}.dataset"
        raise TermsError("dataset_not_of_holder", where=place, holder=holder.id, dataset=dataset.id)
    if _FREQUENCY.fullmatch(entry["frequency"]) is None:
        raise TermsError("frequency_invalid", where=f"{where}.frequency")
    since = _history(where, entry["history_from"], dataset, asking.today)
    return Item(
        holder=holder.id,
        dataset=dataset.id,
        fields=_fields(where, entry["fields"], dataset),
        required=entry["required"],
        frequency=entry["frequency"],
        history_from=since,
        history_to=_until(where, entry.get("history_to"), since),
        filters=asked_filters(where, entry, dataset),
    )


def _fields(where: str, names: list[Any], dataset: Dataset) -> tuple[str, ...]:
    for place, name in enumerate(names):
        field, here = dataset.fields.get(name), f"{where}.fields[{place}]"
        if field is None:
            raise TermsError("field_not_in_catalogue", where=here, dataset=dataset.id, field=name[:64])
        if not field.leaves:
            raise TermsError("field_suppressed", where=here, dataset=dataset.id, field=name)
        if name in names[:place]:
            raise TermsError("duplicate_field", where=here, dataset=dataset.id, field=name)
    return tuple(names)


def _history(where: str, text: str, dataset: Dataset, today: date) -> date:
    where = f"{where}.history_from"
    start = _day(where, text)
    earliest = dataset.history_max.before(today)
    if start < earliest:
        raise TermsError("history_too_long", where=where, dataset=dataset.id, earliest=earliest.isoformat())
    if start > today + timedelta(days=1):
        raise TermsError("history_in_future", where=where, dataset=dataset.id)
    return start


def _until(where: str, text: str | None, since: date) -> date | None:
    if text is None:
        return None
    where = f"{where}.history_to"
    until = _day(where, text)
    if until < since:
        raise TermsError("history_ends_before", where=where, since=since.isoformat())
    return until


def _day(where: str, text: str) -> date:
    try:
        return parse_date(text)
    except ValueError as error:
        raise TermsError("details_malformed", where=where) from error
