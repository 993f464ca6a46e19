"""Which language a page speaks: the citizen's switch, then what they chose before, then what they prefer."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import Language
from gateway.web.words import LANGUAGES

COOKIE = "mydata-language"
REMEMBERED = timedelta(days=180)
_DEFAULT: Language = "ko"
_PREFERENCE = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]{1,24})?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


def of_request(request: Request, ui_locales: str = "") -> Language:
    """The language of the page to answer `request` with.

    Order: `?lang=`, the remembered choice, `ui_locales` of the client (OpenID Connect Core 3.1.2.1),
    Accept-Language, Korean. Unknown languages are passed over.
    """
    told = (request.query_params.get("lang"), request.cookies.get(COOKIE))
    wished = (tag.partition("-")[0].lower() for tag in ui_locales.split()[:10])
    for candidate in (*told, *wished):
        if candidate in LANGUAGES:
            return candidate
    return _accepted(request.headers.get("accept-language", ""))


def remember(response: Response, language: Language, *, secure: bool) -> None:
    """Keep the citizen's choice on their device; it says nothing about who they are."""
    response.set_cookie(
        COOKIE,
        language,
        max_age=int(REMEMBERED.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def _accepted(header: str) -> Language:
    best: tuple[float, Language] = (0.0, _DEFAULT)
    for part in header[:200].split(","):
        found = _PREFERENCE.fullmatch(part)
        if found and found.group(1).lower() in LANGUAGES:
            quality = float(found.group(2) or 1)
            if quality > best[0]:
                best = (quality, cast("Language", found.group(1).lower()))
    return best[1]
