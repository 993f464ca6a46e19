"""GET and POST /logout: a service asks to sign the citizen out here; the citizen confirms it.

Any site may bring a browser here, so nothing happens before the citizen presses the button of this page. It
ends this browser's session; consents and what services were given stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import Language
from gateway.oauth.form import parse
from gateway.oauth.logout import ASKED, Leaving
from gateway.oauth.refusals import OAuthRefusal
from gateway.web import language
from gateway.web.forms import read_form
from gateway.web.site import Site

MAX_BYTES = 16 * 1024


class Logout:
    """The endpoints of a sign-out a service asks for."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def ask(self, request: Request) -> Response:
        """GET or POST: the question. A request that cannot be read is asked about without a way back."""
        asked = await _asked(request)
        async with self._site.database.reading() as session:
            found = await self._site.answering.leaving(session, asked)
            citizen = await self._site.sessions.find(session, request)
        spoken = language.of_request(request, asked.get("ui_locales", ""))
        return self._site.renderer.page(
            "logout",
            spoken,
            who=_named(found, spoken),
            signed_in=False,
            anybody=citizen is not None,
            back=found.back,
            hidden={name: asked[name] for name in ASKED if name in asked},
        )

    async def confirm(self, request: Request) -> Response:
        """POST /logout/confirm: end this browser's session; then the way back to the service, as a link."""
        form = await read_form(request, single=("decision", *ASKED), required=("decision",))
        asked = {name: form.one(name) for name in ASKED if form.one(name)}
        session_hash = self._site.sessions.session_hash(request)
        ended = form.one("decision") == "sign-out"
        async with self._site.database.reading() as session:
            found = await self._site.answering.leaving(session, asked)
        if ended and session_hash:
            async with self._site.database.transaction() as session:
                await self._site.sessions.end(session, session_hash)
        spoken = language.of_request(request)
        page = self._site.renderer.page(
            "logged_out", spoken, ended=ended, who=_named(found, spoken), back=found.back
        )
        if ended:
            self._site.sessions.take_back(page)
        return page


def _named(found: Leaving, spoken: Language) -> str | None:
    """The service's name in the language of the page."""
    if found.client is None:
        return None
    return str(found.client.name.get(spoken) or found.client.legal_name)


async def _asked(request: Request) -> Mapping[str, str]:
    """The parameters of the query or the posted form; none of what cannot be read."""
    data = request.url.query.encode("ascii", "replace")
    if request.method == "POST":
        data = b""
        async for part in request.stream():
            data += part
            if len(data) > MAX_BYTES:
                return {}
    try:
        return parse(data)
    except OAuthRefusal:
        return {}
