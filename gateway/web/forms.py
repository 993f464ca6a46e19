"""Reads a posted form strictly: known names only, single values single, small, well-formed UTF-8."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qsl

from starlette.requests import Request

from gateway.errors import Problem

MAX_BYTES = 65_536
MAX_VALUES = 1_000


class Form:
    """The values of one posted form."""

    def __init__(self, values: dict[str, list[str]]) -> None:
        """Hold values by name."""
        self._values = values

    def one(self, name: str) -> str:
        """The value of `name`, empty if it was not sent."""
        return (self._values.get(name) or [""])[0]

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of `name` in the order sent."""
        return tuple(self._values.get(name, ()))


async def read_form(
    request: Request,
    *,
    single: Collection[str],
    repeated: Collection[str] = (),
    required: Collection[str] = (),
) -> Form:
    """The form of `request`. Raises Problem `form_invalid` for anything the page could not have sent.

    That is: another media type, unknown names, a `single` name twice, a `repeated` name with one value
    twice, a `required` name missing or empty.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise _invalid(f"media type {media_type!r}")
    try:
        pairs = parse_qsl(
            (await _body(request)).decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_VALUES,
        )
    except ValueError as error:
        raise _invalid("not a form") from error
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    for name, sent in values.items():
        if name not in single and name not in repeated:
            raise _invalid("unknown field")
        if len(sent) != len(set(sent)) or (name in single and len(sent) > 1):
            raise _invalid(f"{name} sent twice")
    if missing := [name for name in required if not values.get(name, [""])[0]]:
        raise _invalid(f"{missing[0]} missing")
    return Form(values)


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            raise Problem("too_large")
    return body


def _invalid(detail: str) -> Problem:
    return Problem("form_invalid", detail=detail)
