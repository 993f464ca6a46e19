"""What must be so before a request is put to a citizen: who is signed in, how recently, how strongly.

In this order: a silent client (`prompt=none`) gets its answer and no page; nobody signed in goes to sign in;
a sign-in that will not do is done again; a fresh one that still will not do goes back to the client.
"""

from __future__ import annotations

from starlette.responses import Response

from gateway.errors import Problem
from gateway.oauth.answering import Unmet, signed_in_for
from gateway.oauth.interactions import Pending
from gateway.security.sessions import CitizenSession
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site

CONSENT_REQUIRED = "consent_required"
"""Every request here is a new question, so a known and willing citizen still has to be asked."""


async def elsewhere_first(
    site: Site, pending: Pending, citizen: CitizenSession | None, *, answering: bool
) -> Response | None:
    """Where the browser has to go before the page may be shown; None if it may be.

    Raises Problem `sign_in_needed` when an answer was sent under a sign-in that will not do.
    """
    id = pending.interaction_id
    unmet = Unmet.TOO_OLD if citizen is None else site.answering.unmet(pending, citizen)
    if pending.openid.silent:
        if answering:
            raise Problem("form_invalid", detail="a silent request has no page to answer")
        return await site.answering.send_back(id, CONSENT_REQUIRED if unmet is None else unmet.error)
    if unmet is None:
        return None
    if answering:
        raise Problem("sign_in_needed")
    if citizen is not None and unmet is not Unmet.TOO_OLD and signed_in_for(pending, citizen):
        return await site.answering.send_back(id, unmet.error)
    return sign_in_first(f"/consent/{id}")
