"""The shape of `authorization_details`, as a JSON schema would say it: types, members, sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consent.errors import TermsError
from consent.items import DETAILS_TYPE

MAX_HOLDERS = 20
MAX_ITEMS = 50
_OBJECT = {
    "type": str,
    "holder": str,
    "purpose": str,
    "start": str,
    "end": str,
    "retention": str,
    "items": list,
}
_ITEM = {"dataset": str, "fields": list, "required": bool, "frequency": str, "history_from": str}


def objects(details: object) -> list[dict[str, Any]]:
    """The objects, one a holder, all members there and of the right type."""
    if not isinstance(details, list) or not details:
        raise TermsError("details_malformed", where="authorization_details")
    if len(details) > MAX_HOLDERS:
        raise TermsError("too_many_items", limit=MAX_HOLDERS)
    for place, entry in enumerate(details):
        if isinstance(entry, dict) and entry.get("type") != DETAILS_TYPE:
            raise TermsError("details_type_unknown", where=f"[{place}].type", allowed=DETAILS_TYPE)
    return [_members(f"[{place}]", entry, _OBJECT) for place, entry in enumerate(details)]


def item_members(where: str, entry: object) -> dict[str, Any]:
    """The members of one item, all there and of the right type."""
    return _members(where, entry, _ITEM)


def _members(where: str, entry: object, shape: Mapping[str, type]) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise TermsError("details_malformed", where=where)
    for name in sorted(map(str, entry.keys() - shape.keys())):
        raise TermsError("details_member_unknown", where=where, member=name[:64])
    for name, kind in shape.items():
        if name not in entry:
            raise TermsError("details_member_missing", where=where, member=name)
        if type(entry[name]) is not kind:
            raise TermsError("details_malformed", where=f"{where}.{name}")
    return entry
