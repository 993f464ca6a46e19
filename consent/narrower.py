"""Less of what was agreed to, asked for by a client with a token request (RFC 9396 6)."""

from __future__ import annotations

from typing import Any

from consent.choices import restrict
from consent.details_shape import objects
from consent.errors import TermsError
from consent.items import Terms, from_details, row_details, to_details


def narrower(asked: object, granted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`granted` with nothing left but the items and fields named in `asked`, a decoded JSON value.

    Raises TermsError: a code of `details_shape` for anything malformed, `details_widened` with the place of
    the first member that is not within what was granted. What is neither item nor field stays as granted.
    """
    terms, keep = from_details(granted), dict[str, tuple[str, ...]]()
    for place, entry in enumerate(objects(asked)):
        for member in ("purpose", "start", "end", "retention"):
            if entry[member] != granted[0][member]:
                raise TermsError("details_widened", where=f"[{place}].{member}")
        if entry["holder"] not in terms.holders:
            raise TermsError("details_widened", where=f"[{place}].holder")
        for number, raw in enumerate(entry["items"]):
            name, fields = _kept(f"[{place}].items[{number}]", entry["holder"], raw, terms)
            if name in keep:
                raise TermsError("duplicate_item", where=f"[{place}].items[{number}]", item=name)
            keep[name] = fields
    return to_details(restrict(terms, keep))


def _kept(where: str, holder: str, entry: dict[str, Any], terms: Terms) -> tuple[str, tuple[str, ...]]:
    item = terms.item(f"{holder}/{entry['dataset']}")
    if item is None:
        raise TermsError("details_widened", where=f"{where}.dataset")
    same = {
        "required": item.required,
        "frequency": item.frequency,
        "history_from": item.history_from.isoformat(),
    }
    for member, value in same.items():
        if entry[member] != value:
            raise TermsError("details_widened", where=f"{where}.{member}")
    rows = row_details(item)
    for member in ("history_to", "accounts", "filters"):  # left out, they stay as granted
        if member in entry and entry[member] != rows.get(member):
            raise TermsError("details_widened", where=f"{where}.{member}")
    if not set(entry["fields"]) <= set(item.fields):
        raise TermsError("details_widened", where=f"{where}.fields")
    return item.name, tuple(entry["fields"])
