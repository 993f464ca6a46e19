"""/my/consents/{id}/pause and /resume: stopping for a while, and going on; one confirmation, no reason asked.

Pausing is never blocked. Going on gives data again, so it waits while the ledger lags. Both count for the
version that was shown; said twice, the second changes nothing.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import lasting, repository
from consent.mandates import Power
from consent.records import IDLE, Consent, Move, State
from consent.subjects import SubjectId
from gateway.errors import Problem
from gateway.oauth.lasting import follow
from gateway.web import language, phrases
from gateway.web.consent_view import party
from gateway.web.forms import read_form
from gateway.web.item_names import item_name
from gateway.web.my_consents import Kept, own
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.views import PauseView

_FROM = {Move.PAUSE: State.ACTIVE, Move.RESUME: State.PAUSED}


class Pause:
    """The endpoints of one of both moves."""

    def __init__(self, site: Site, step: Move) -> None:
        """Serve `site`; `step` is PAUSE or RESUME."""
        self._site, self._step = site, step

    async def show(self, request: Request) -> Response:
        """GET: what stops, or goes on. A consent that cannot make the move is shown as it stands."""
        kept = await self._own(request)
        place = f"/my/consents/{request.path_params['consent']}"
        if kept is None:
            return sign_in_first(f"{place}/{self._step.value}")
        if not self._can(kept):
            return RedirectResponse(place, 303)
        spoken, consent = language.of_request(request), kept.consent
        view = PauseView(
            who=party(kept.client, spoken),
            version=consent.version,
            items=tuple(item_name(self._site, item, spoken) for item in consent.terms.items),
            until=phrases.day(consent.terms.end, spoken),
            idle=await self._idle(consent),
            back=place,
        )
        return self._site.renderer.page(self._step.value, spoken, signed_in=True, view=view)

    async def _idle(self, consent: Consent) -> bool:
        """Whether it was paused because nobody used it, whatever was taken back since."""
        if consent.state is not State.PAUSED:
            return False
        async with self._site.database.reading() as session:
            steps = await repository.steps_of(session, consent)
        return next(step.after.why == IDLE for step in reversed(steps) if step.move is Move.PAUSE)

    async def confirm(self, request: Request) -> Response:
        """POST: the move, its entry, and all that follows from it.

        Raises Problem `sign_in_needed`, `consent_not_found`, `form_invalid`, `ledger_behind` (resuming only),
        MoveError `consent_moved_on`.
        """
        names = ("decision", "version")
        form = await read_form(request, single=names, required=names)
        if form.one("decision") != self._step.value:
            raise Problem("form_invalid", detail="an unknown decision")
        kept = await self._own(request)
        if kept is None:
            raise Problem("sign_in_needed")
        if self._can(kept):
            if form.one("version") != str(kept.consent.version):
                raise Problem("consent_moved_on")
            await self._move(kept)
        return RedirectResponse(f"/my/consents/{kept.consent.id}", 303)

    async def _move(self, kept: Kept) -> None:
        site, before = self._site, kept.consent
        if self._step is Move.RESUME and site.may_grant is not None:
            await site.may_grant()
        move = lasting.pause if self._step is Move.PAUSE else lasting.resume
        async with site.database.transaction() as session:
            after = await move(
                session,
                site.journal,
                before.id,
                subject=SubjectId(before.subject),
                version=before.version,
                at=site.now(),
                acting=kept.acting,
            )
            await follow(session, after)
            if site.after_change is not None:
                await site.after_change(session, before, after)

    def _can(self, kept: Kept) -> bool:
        return kept.consent.standing(self._site.now()) is _FROM[self._step]

    async def _own(self, request: Request) -> Kept | None:
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                return None
            under = (self._site, Power.WITHDRAW) if self._step is Move.PAUSE else None
            kept = await own(session, citizen, request.path_params["consent"], under=under)
            if self._step is Move.RESUME and citizen.age_band == "child":
                raise Problem("guardian_needed")
            return kept
