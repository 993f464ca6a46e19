"""GET /my/consents, /my/consents/{id}, its receipt: everything a citizen agreed to and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from consent import repository, repository_use
from consent.parties import ClientInfo
from consent.records import Consent, State
from consent.subjects import SubjectId
from consent.usage import ItemOutcome
from gateway.errors import Language, Problem
from gateway.oauth import clients
from gateway.security.sessions import CitizenSession
from gateway.transfers import repository as transfers
from gateway.transfers.states import UNFINISHED
from gateway.web import language, phrases
from gateway.web.consent_view import party
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.usage_view import history_view, outcomes_view
from gateway.web.views import ConsentCard, DetailView
from gateway.web.words import words


@dataclass(frozen=True, slots=True)
class Kept:
    """One consent of the signed-in citizen with what came of it."""

    consent: Consent
    client: ClientInfo
    outcomes: list[ItemOutcome]
    versions: list[Consent]
    waiting: bool


async def own(session: AsyncSession, citizen: CitizenSession, consent_id: str) -> Kept:
    """The citizen's consent; Problem `consent_not_found` for another's, just as for one that never was."""
    consent = await repository.load(session, consent_id)
    if consent is None or consent.subject != citizen.subject:
        raise Problem("consent_not_found")
    return await _kept(session, consent)


class MyConsents:
    """The endpoints of the citizen's own overview."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def every(self, request: Request) -> Response:
        """GET /my/consents: newest first, ended ones too."""
        spoken = language.of_request(request)
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                return sign_in_first("/my/consents")
            mine = await repository.of_subject(session, SubjectId(citizen.subject))
            kept = [await _kept(session, consent) for consent in mine]
        rows = tuple(self._card(one, spoken) for one in kept)
        return self._site.renderer.page("my_consents", spoken, signed_in=True, rows=rows)

    async def one(self, request: Request) -> Response:
        """GET /my/consents/{id}."""
        spoken, id = language.of_request(request), request.path_params["consent"]
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                return sign_in_first(f"/my/consents/{id}")
            kept = await own(session, citizen, id)
        view = self._detail(kept, spoken)
        return self._site.renderer.page("my_consent", spoken, signed_in=True, view=view)

    async def receipt(self, request: Request) -> Response:
        """GET /my/consents/{id}/receipt: the signed receipt as a file; 202 while it is being made."""
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                raise Problem("sign_in_needed")
            kept = await own(session, citizen, request.path_params["consent"])
        if self._site.receipt is None or kept.consent.state is State.REFUSED:
            raise Problem("not_found")
        signed = await self._site.receipt(kept.consent)
        if signed is None:
            spoken = language.of_request(request)
            page = self._site.renderer.message(
                spoken, "detail.receipt_later", "detail.receipt_later_about", status=202
            )
            page.headers["retry-after"] = "2"
            return page
        name = f"mydata-receipt-{kept.consent.id}.jwt"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(signed, media_type="application/jwt", headers=headers)

    def _card(self, kept: Kept, spoken: Language) -> ConsentCard:
        consent, t = kept.consent, words(spoken)
        standing = consent.standing(self._site.now())
        sent = [o.at for o in kept.outcomes if o.sent]
        place = f"/my/consents/{consent.id}"
        return ConsentCard(
            href=place,
            who=party(kept.client, spoken).name,
            purpose=self._site.catalogue.purposes[consent.terms.purpose].name[spoken],
            state=t(f"state.{standing.value}"),
            state_kind=standing.value,
            given=phrases.moment(consent.created_at, spoken),
            until=phrases.day(consent.terms.end, spoken),
            last_sent=phrases.moment(max(sent), spoken) if sent else t("mine.never_sent"),
            withdraw=f"{place}/withdraw" if standing in (State.ACTIVE, State.PAUSED) else None,
        )

    def _detail(self, kept: Kept, spoken: Language) -> DetailView:
        consent = kept.consent
        ran_out = consent.standing(self._site.now()) is State.EXPIRED
        kept_receipt = self._site.receipt is not None and consent.state is not State.REFUSED
        return DetailView(
            card=self._card(kept, spoken),
            who=party(kept.client, spoken),
            reference=consent.id,
            start=phrases.day(consent.terms.start, spoken),
            retention=phrases.length(consent.terms.retention, spoken),
            outcomes=outcomes_view(self._site, consent, kept.outcomes, spoken),
            history=history_view(
                kept.versions, kept.outcomes, spoken, ended_at=consent.terms.end_at if ran_out else None
            ),
            receipt=f"/my/consents/{consent.id}/receipt" if kept_receipt else None,
            waiting=kept.waiting,
        )


async def _kept(session: AsyncSession, consent: Consent) -> Kept:
    client = await clients.find(session, consent.client_id)
    info = clients.info(client) if client else ClientInfo(consent.client_id, frozenset())
    outcomes = await repository_use.of_consent(session, consent.id)
    versions = await repository.history(session, consent.id)
    under_way = await transfers.transfers_of_consent(session, consent.id)
    return Kept(consent, info, outcomes, versions, any(row.state in UNFINISHED for row in under_way))
