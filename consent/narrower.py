"""Less of what was agreed to, asked for by a client with a token request (RFC 9396 6)."""

from __future__ import annotations

from typing import Any

from consent.choices import restrict
from consent.details_shape import item_members, objects
from consent.errors import TermsError
from consent.items import Terms, from_details, to_details


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
                raise TermsError("duplicate_item", item=name)
            keep[name] = fields
    if not keep:
        raise TermsError("details_malformed", where="[0].items")
    return to_details(restrict(terms, keep))


def _kept(where: str, holder: str, raw: object, terms: Terms) -> tuple[str, tuple[str, ...]]:
    entry = item_members(where, raw)
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
    fields = entry["fields"]
    if not fields or not all(isinstance(name, str) for name in fields):
        raise TermsError("details_malformed", where=f"{where}.fields")
    if not set(fields) <= set(item.fields):
        raise TermsError("details_widened", where=f"{where}.fields")
    return item.name, tuple(fields)
