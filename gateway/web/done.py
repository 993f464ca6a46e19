"""GET /consent/{interaction}/done: what was decided, and a plain link back to the service.

The page is answered with 200 and the way back is a link, not a redirected form (browsers apply form-action to
the whole chain). It does not move on by itself: a page that leaves while it is being read fails WCAG 2.2.1.
"""

from __future__ import annotations

import hmac

import orjson
from starlette.requests import Request
from starlette.responses import Response

from consent import repository
from consent.records import Consent
from gateway.errors import Language, Problem
from gateway.oauth import clients, interactions
from gateway.web import language, phrases
from gateway.web.consent_view import party
from gateway.web.item_names import item_name
from gateway.web.questionnaire import asking
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.views import DoneView, Party


class DonePage:
    """The ending of the question."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def show(self, request: Request) -> Response:
        """The answer given in this browser. Raises Problem `request_unknown`, `request_not_yours`."""
        id = request.path_params["interaction"]
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            row = await interactions.find(session, id)
            client = await clients.find(session, row.client_id) if row else None
            given = row is not None and row.consent_id is not None
            consent = await repository.load(session, row.consent_id) if row and given else None
        if row is None or client is None:
            raise Problem("request_unknown")
        if row.settled_at is None or (consent is not None and citizen is None):
            return sign_in_first(f"/consent/{id}")
        if not hmac.compare_digest(row.session_hash, self._site.sessions.session_hash(request) or ""):
            raise Problem("request_not_yours")
        spoken = language.of_request(request, orjson.loads(row.parameters).get("ui_locales", ""))
        back = None if row.finished_at else interactions.resume_path(id)
        view = self._view(consent, party(clients.info(client), spoken), back, spoken)
        return self._site.renderer.page("done", spoken, signed_in=citizen is not None, view=view)

    def _view(self, consent: Consent | None, who: Party, resume: str | None, spoken: Language) -> DoneView:
        if consent is None:
            return DoneView(agreed=False, who=who, resume=resume)
        place = f"/my/consents/{consent.id}"
        return DoneView(
            agreed=True,
            who=who,
            resume=resume,
            reference=consent.id,
            when=phrases.moment(consent.created_at, spoken),
            until=phrases.day(consent.terms.end, spoken),
            items=tuple(item_name(self._site, item, spoken) for item in consent.terms.items),
            receipt=f"{place}/receipt" if self._site.receipt else None,
            consent=place,
            asking=asking(self._site, "grant", consent.id, consent.created_at, spoken),
        )
