"""/my/consents/{id}/withdraw: the consequence, one confirmation, no reason asked (PIPA 37, 38(4))."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import service
from consent.mandates import Power
from consent.subjects import SubjectId
from gateway.errors import Problem
from gateway.web import language, phrases
from gateway.web.consent_view import party
from gateway.web.forms import read_form
from gateway.web.item_names import item_name
from gateway.web.my_consents import Kept, own
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.views import WithdrawView


class Withdraw:
    """The endpoints of withdrawal."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET: what ends and what was sent already; a consent that has ended is shown as it stands."""
        place = f"/my/consents/{request.path_params['consent']}"
        kept = await self._own(request)
        if kept is None:
            return sign_in_first(f"{place}/withdraw")
        if kept.consent.ended:
            return RedirectResponse(place, 303)
        spoken = language.of_request(request)
        view = WithdrawView(
            who=party(kept.client, spoken),
            items=tuple(item_name(self._site, item, spoken) for item in kept.consent.terms.items),
            retention=phrases.length(kept.consent.terms.retention, spoken),
            back=place,
        )
        return self._site.renderer.page("withdraw", spoken, signed_in=True, view=view)

    async def confirm(self, request: Request) -> Response:
        """POST: withdraw at once. Repeating it changes nothing."""
        form = await read_form(request, single=("decision",), required=("decision",))
        if form.one("decision") != "withdraw":
            raise Problem("form_invalid", detail="an unknown decision")
        id = request.path_params["consent"]
        kept = await self._own(request)
        if kept is None:
            raise Problem("sign_in_needed")
        subject, now = SubjectId(kept.consent.subject), self._site.now()
        async with self._site.database.transaction() as session:
            ended = await service.withdraw(
                session, self._site.journal, id, subject=subject, at=now, acting=kept.acting
            )
            if self._site.after_withdrawal is not None and not kept.consent.ended:
                await self._site.after_withdrawal(session, ended)
        return RedirectResponse(f"/my/consents/{id}/withdrawn", 303)

    async def done(self, request: Request) -> Response:
        """GET /my/consents/{id}/withdrawn: what has ended and when, with the reference."""
        place = f"/my/consents/{request.path_params['consent']}"
        kept = await self._own(request)
        if kept is None:
            return sign_in_first(place)
        if not kept.consent.ended:
            return RedirectResponse(place, 303)
        spoken = language.of_request(request)
        return self._site.renderer.page(
            "withdrawn",
            spoken,
            signed_in=True,
            who=party(kept.client, spoken),
            reference=kept.consent.id,
            when=phrases.moment(kept.consent.changed_at, spoken),
            place=place,
        )

    async def _own(self, request: Request) -> Kept | None:
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            under = (self._site, Power.WITHDRAW)
            id = request.path_params["consent"]
            return await own(session, citizen, id, under=under) if citizen else None
