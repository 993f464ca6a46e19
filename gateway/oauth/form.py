"""Strict reading of application/x-www-form-urlencoded: one way to read it, a size limit, no duplicates."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from gateway.oauth.refusals import OAuthRefusal

MAX_BYTES = 96 * 1024
MAX_FIELDS = 64
_TYPE = "application/x-www-form-urlencoded"
_PLAIN = re.compile(rb"(?:[^%&=#\x00-\x20\x7f-\xff]|%[0-9A-Fa-f]{2})*")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a POST body.

    Raises OAuthRefusal `too_large` or `invalid_request`: another media type, a field twice (RFC 6749 3.2),
    broken percent-encoding, text that is not UTF-8.
    """
    media = request.headers.get("content-type", "").lower().replace(" ", "")
    if media not in (_TYPE, f"{_TYPE};charset=utf-8"):
        raise OAuthRefusal("invalid_request", what=f"the body must be {_TYPE}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise OAuthRefusal("too_large", error="invalid_request")
    return parse(bytes(body))


def parse(encoded: bytes) -> dict[str, str]:
    """The fields of an encoded body or query. A field without a value counts as absent (RFC 6749 3.1)."""
    fields: dict[str, str] = {}
    seen: set[str] = set()
    pairs = encoded.split(b"&") if encoded else []
    if len(pairs) > MAX_FIELDS:
        raise OAuthRefusal("invalid_request", what=f"more than {MAX_FIELDS} fields")
    for pair in pairs:
        name_part, _, value_part = pair.partition(b"=")
        name, value = _decode(name_part), _decode(value_part)
        if name == "resource" and name in fields and value:
            fields[name] += f" {value}"  # the one parameter that may be repeated (RFC 8707 2)
            continue
        if not name or name in seen:
            raise OAuthRefusal("invalid_request", what="a field is given twice or has no name")
        seen.add(name)
        if value:
            fields[name] = value
    return fields


def _decode(part: bytes) -> str:
    if _PLAIN.fullmatch(part) is None:
        raise OAuthRefusal("invalid_request", what="the form encoding is broken")
    plain = part.replace(b"+", b" ")
    if b"%" not in plain:
        return plain.decode("ascii")
    try:
        text = unquote_to_bytes(plain).decode("utf-8")
    except UnicodeDecodeError as error:
        raise OAuthRefusal("invalid_request", what="a field is not UTF-8") from error
    if "\x00" in text:
        raise OAuthRefusal("invalid_request", what="a field holds a NUL")
    return text
