"""The shape of `authorization_details`: types, members and sizes, by the JSON schema beside this file.

`details.schema.json` is the whole rule; what is here only says which member it was, in one of our codes. The
first error of the schema's own order is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any, cast

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from consent.errors import TermsError
from consent.items import DETAILS_TYPE

MAX_HOLDERS = 20
MAX_ITEMS = 50


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of the one type of details (RFC 9396 2)."""
    found: dict[str, Any] = orjson.loads((resources.files("consent") / "details.schema.json").read_bytes())
    return found


@cache
def _validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


def objects(details: object) -> list[dict[str, Any]]:
    """The objects, one a holder, every member and every item as the schema has them. Raises TermsError."""
    if error := next(_validator().iter_errors(details), None):
        raise _refusal(error)
    return cast("list[dict[str, Any]]", details)


def _refusal(error: ValidationError) -> TermsError:
    where = _place(error.absolute_path)
    value, found = cast("Any", error.validator_value), cast("Any", error.instance)
    match error.validator:
        case "required":
            missing = next(name for name in value if name not in found)
            if missing == "type":
                return TermsError("details_type_unknown", where=f"{where}.type", allowed=DETAILS_TYPE)
            return TermsError("details_member_missing", where=where, member=missing)
        case "additionalProperties":
            known = cast("Any", error.schema)["properties"]
            extra = min(str(name) for name in found if name not in known)
            return TermsError("details_member_unknown", where=where, member=extra[:64])
        case "const":
            return TermsError("details_type_unknown", where=where, allowed=DETAILS_TYPE)
        case "maxItems":
            return TermsError("too_many_items", where=where, limit=value)
        case _:
            return TermsError("details_malformed", where=where)


def _place(path: Iterable[str | int]) -> str:
    """`[0].items[2].fields`, or the parameter itself."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text or "authorization_details"
