"""/my/consents/{id}/withdraw: the consequence, one confirmation, no reason asked (PIPA 37, 38(4))."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import deletion, moving, repository, repository_use, service
from consent.mandates import Power
from consent.records import Consent, State
from consent.subjects import SubjectId
from consent.usage import ItemOutcome
from gateway.errors import Language, Problem
from gateway.web import language, phrases
from gateway.web.consent_view import party
from gateway.web.forms import Form, read_form
from gateway.web.item_names import dataset_name, holder_name, item_name
from gateway.web.my_consents import Kept, own
from gateway.web.questionnaire import asking
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.views import WithdrawView
from gateway.web.words import words


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
        past = await self._past(kept)
        view = WithdrawView(
            who=party(kept.client, spoken),
            items=tuple(item_name(self._site, item, spoken) for item in kept.consent.terms.items),
            retention=phrases.length(kept.consent.terms.retention, spoken),
            back=place,
            sent=_sent(self._site, past, spoken),
        )
        return self._site.renderer.page("withdraw", spoken, signed_in=True, view=view)

    async def confirm(self, request: Request) -> Response:
        """POST: withdraw at once. Repeating it changes nothing."""
        form = await read_form(request, single=("decision", "delete"), required=("decision",))
        if form.one("decision") != "withdraw":
            raise Problem("form_invalid", detail="an unknown decision")
        delete = _ticked(form)
        id = request.path_params["consent"]
        kept = await self._own(request)
        if kept is None:
            raise Problem("sign_in_needed")
        subject, now = SubjectId(kept.consent.subject), self._site.now()
        async with self._site.database.transaction() as session:
            before = await repository.load(session, id, lock=True)
            ended = await service.withdraw(
                session, self._site.journal, id, subject=subject, at=now, acting=kept.acting
            )
            lived = before is not None and not before.ended
            if self._site.after_withdrawal is not None and lived:
                await self._site.after_withdrawal(session, ended)
            if delete:
                patience = self._site.patience
                await deletion.instruct(session, self._site.journal, ended, patience, at=now)
        return RedirectResponse(f"/my/consents/{id}/withdrawn", 303)

    async def instruct(self, request: Request) -> Response:
        """POST /my/consents/{id}/delete: after the end, tell the recipient to delete; again is once."""
        form = await read_form(request, single=("delete",), required=("delete",))
        if not _ticked(form):
            raise Problem("form_invalid", detail="an unknown value")
        id = request.path_params["consent"]
        kept = await self._own(request)
        if kept is None:
            raise Problem("sign_in_needed")
        subject, now = SubjectId(kept.consent.subject), self._site.now()
        async with self._site.database.transaction() as session:
            consent = await moving.own(session, id, subject)
            await deletion.instruct(session, self._site.journal, consent, self._site.patience, at=now)
        return RedirectResponse(f"/my/consents/{id}", 303)

    async def certificate(self, request: Request) -> Response:
        """GET /my/consents/{id}/deletion-certificate: what the company signed, as it came."""
        kept = await self._own(request)
        if kept is None:
            raise Problem("sign_in_needed")
        async with self._site.database.reading() as session:
            told = await deletion.of_consent(session, kept.consent.id)
        if told is None or told.certificate is None:
            raise Problem("not_found")
        name = f"mydata-deletion-{kept.consent.id}.jwt"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(told.certificate, media_type="application/jwt", headers=headers)

    async def done(self, request: Request) -> Response:
        """GET /my/consents/{id}/withdrawn: what has ended and when, with the reference."""
        place = f"/my/consents/{request.path_params['consent']}"
        kept = await self._own(request)
        if kept is None:
            return sign_in_first(place)
        if not kept.consent.ended:
            return RedirectResponse(place, 303)
        spoken = language.of_request(request)
        async with self._site.database.reading() as session:
            at = await _withdrawn_at(session, kept.consent)
        return self._site.renderer.page(
            "withdrawn",
            spoken,
            signed_in=True,
            who=party(kept.client, spoken),
            reference=kept.consent.id,
            when=phrases.moment(kept.consent.changed_at, spoken),
            place=place,
            asking=asking(self._site, "withdrawal", kept.consent.id, at, spoken),
        )

    async def _own(self, request: Request) -> Kept | None:
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            under = (self._site, Power.WITHDRAW)
            id = request.path_params["consent"]
            return await own(session, citizen, id, under=under) if citizen else None

    async def _past(self, kept: Kept) -> list[ItemOutcome]:
        """What was collected already: of each item the latest outcome."""
        consent = kept.consent
        async with self._site.database.reading() as session:
            found = [
                await repository_use.latest(session, consent.id, one.name) for one in consent.asked.items
            ]
        return [outcome for outcome in found if outcome is not None and outcome.sent]


async def _withdrawn_at(session: AsyncSession, consent: Consent) -> int | None:
    """When the citizen withdrew it; None when it ended otherwise."""
    versions = await repository.versions_of(session, consent)
    ends = (State.WITHDRAWING, State.WITHDRAWN)
    return next((one.changed_at for one in versions if one.state in ends), None)


def _ticked(form: Form) -> bool:
    """Whether the one box of the form is ticked; Problem `form_invalid` for a value no page sends."""
    if form.one("delete") not in ("", "yes"):
        raise Problem("form_invalid", detail="an unknown value")
    return form.one("delete") == "yes"


def _name(site: Site, item: str, spoken: Language) -> str:
    holder, _, dataset = item.partition("/")
    return f"{holder_name(site, holder, spoken)} {dataset_name(site, dataset, spoken)}"


def _sent(site: Site, past: list[ItemOutcome], spoken: Language) -> tuple[str, ...]:
    """Each item that was sent, and when last."""
    t = words(spoken)
    return tuple(
        t("ending.sent", item=_name(site, outcome.item, spoken), when=phrases.moment(outcome.at, spoken))
        for outcome in past
    )
