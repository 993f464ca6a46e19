"""GET /my/consents for a program of the citizen's own: the same list, as JSON, under the same session.

Who asks for application/json and for no page gets it; everything else is as on the page: part, order, paging.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from consent.items import to_details
from gateway.errors import Language, Problem
from gateway.responses import problem_response
from gateway.web.consent_view import party
from gateway.web.my_consents import Kept
from gateway.web.site import Site


def wanted(request: Request) -> bool:
    """Whether JSON is asked for, and no page."""
    accepted = request.headers.get("accept", "").lower()
    return "application/json" in accepted and "text/html" not in accepted


def signed_out(spoken: Language) -> Response:
    """The answer to nobody signed in: 401, a problem document."""
    return problem_response(Problem("sign_in_needed"), spoken)


def listed(site: Site, rows: Sequence[Kept], spoken: Language, following: str | None) -> Response:
    """The rows of one page; `next` is the address of the page after it. Moments are epoch seconds."""
    body = {"consents": [_row(site, kept, spoken) for kept in rows], "next": following}
    headers = {"Cache-Control": "no-store", "Content-Language": spoken}
    return JSONResponse(body, headers=headers)


def _row(site: Site, kept: Kept, spoken: Language) -> dict[str, Any]:
    consent = kept.consent
    return {
        "id": consent.id,
        "client_id": consent.client_id,
        "client": party(kept.client, spoken).name,
        "state": consent.standing(site.now()).value,
        "version": consent.version,
        "by": consent.by.value,
        "why": consent.why,
        "purpose": consent.terms.purpose,
        "authorization_details": to_details(consent.terms),
        "text_sha256": consent.text_hash,
        "created_at": consent.created_at,
        "changed_at": consent.changed_at,
        "ends_at": consent.terms.end_at,
        "last_sent_at": kept.last_sent,
    }
