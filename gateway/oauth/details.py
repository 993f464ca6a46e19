"""Rich authorization requests (RFC 9396): reading `authorization_details` and saying what is wrong with it.

Their meaning belongs to the consent package; it comes in as `validate`, so that the rules of the catalogue
and of OAuth never mix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from consent.errors import TermsError
from consent.narrower import narrower
from gateway.errors import catalogue
from gateway.oauth.clients import Client
from gateway.oauth.refusals import OAuthRefusal

ERROR = "invalid_authorization_details"
TYPES = ("mydata_transfer",)
MAX_BYTES = 64 * 1024

Validate = Callable[[list[Any], Client], object]
"""Raises an error with a stable `code` (and public `params`) unless the client may ask for these details."""


def read_details(text: str | None, client: Client, validate: Validate) -> str:
    """The details a client asks for, valid for it, as the JSON text that is stored.

    Raises OAuthRefusal with error `invalid_authorization_details` and the code that says why.
    """
    if text is None:
        raise OAuthRefusal("details_missing", error=ERROR)
    if len(text) > MAX_BYTES:
        raise OAuthRefusal("too_large", error=ERROR, status=400)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise OAuthRefusal("details_not_json", error=ERROR) from error
    if not isinstance(value, list) or not value:
        raise OAuthRefusal("details_not_json", error=ERROR)
    try:
        validate(value, client)
    except Exception as error:
        raise _refusal(error) from error
    return orjson.dumps(value).decode()


def less_of(text: str, granted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The part of the `granted` details a token request asks for (RFC 9396 6). Raises as `read_details`."""
    if len(text) > MAX_BYTES:
        raise OAuthRefusal("too_large", error=ERROR, status=400)
    try:
        return narrower(orjson.loads(text), granted)
    except orjson.JSONDecodeError as error:
        raise OAuthRefusal("details_not_json", error=ERROR) from error
    except TermsError as error:
        raise _refusal(error) from error


def _refusal(error: Exception) -> Exception:
    code = getattr(error, "code", None)
    if not isinstance(code, str):
        return error
    if code not in catalogue():
        return OAuthRefusal("details_refused", error=ERROR, reason=code)
    return OAuthRefusal(code, error=ERROR, status=400, **dict(getattr(error, "params", None) or {}))
