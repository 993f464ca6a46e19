"""POST /consent/{interaction}/decline: to say no without saying who one is.

Refusing must not cost more than agreeing, so nobody has to sign in for it. Nothing about a person is known
here, so no record of a consent is made: only the request is settled, for the browser that answered it.
"""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.errors import Problem
from gateway.oauth.interactions import Settlement
from gateway.security.sessions import hashed
from gateway.web.forms import read_form
from gateway.web.settling import settle
from gateway.web.site import Site


class Decline:
    """The endpoint of a refusal before sign-in."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def answer(self, request: Request) -> Response:
        """Refuse. Raises Problem `request_unknown` or `request_expired`; an earlier answer stands."""
        form = await read_form(request, single=("decision",), required=("decision",))
        if form.one("decision") != "refuse":
            raise Problem("form_invalid", detail="an unknown decision")
        id = request.path_params["interaction"]
        name = request.cookies.get(self._site.sessions.cookie) or secrets.token_urlsafe(32)
        response = RedirectResponse(f"/consent/{id}/done", 303)
        try:
            async with self._site.database.transaction() as session:
                answer = Settlement(allowed=False, session_hash=hashed(name))
                await settle(session, id, answer, at=self._site.now())
        except Problem as problem:
            if problem.code != "request_answered":
                raise
            return response
        self._site.tell_holders()
        self._site.sessions.put(response, name)
        return response
