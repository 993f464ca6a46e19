"""GET /my/consents/{id} and its receipt: what a citizen agreed to and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from consent import repository, repository_use
from consent.accounts import Offer
from consent.acting import SELF, Acting
from consent.asking import ever_given
from consent.calendar import korean_day
from consent.changes import Step
from consent.mandates import Power
from consent.parties import ClientInfo
from consent.records import PENDING, Consent, State
from consent.renewal import renewed
from consent.subjects import SubjectId
from consent.usage import ItemOutcome
from gateway.errors import Language, Problem
from gateway.oauth import clients, recognition
from gateway.security.sessions import CitizenSession
from gateway.transfers import repository as transfers
from gateway.web import behalf, language, paging, phrases, recognising
from gateway.web.consent_view import party
from gateway.web.ending_view import ending_view
from gateway.web.history_view import history_view
from gateway.web.narrow_rows import labels_of
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.usage_view import outcomes_view
from gateway.web.views import ConsentCard, DetailView
from gateway.web.words import words


@dataclass(frozen=True, slots=True)
class Kept:
    """One consent of the signed-in citizen."""

    consent: Consent
    client: ClientInfo
    last_sent: int | None = None
    acting: Acting = SELF
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The masked names of the accounts chosen, by reference."""
    offers: Mapping[str, Offer] = field(default_factory=dict, repr=False)
    """Where all accounts are sent, those that could be chosen instead, by item name."""


@dataclass(frozen=True, slots=True)
class _Past:
    """What came of a consent: each item's latest outcome, and one page of all that happened."""

    latest: list[ItemOutcome]
    outcomes: list[ItemOutcome]
    steps: list[Step]
    ended_at: int | None
    waiting: bool
    older: str | None


async def own(
    session: AsyncSession,
    citizen: CitizenSession,
    consent_id: str,
    *,
    under: tuple[Site, Power] | None = None,
) -> Kept:
    """The citizen's consent; Problem `consent_not_found` for another's, just as for one that never was.

    With `under` also one of whom they act for, where their mandate has that power over it now.
    """
    consent, acting = await repository.load(session, consent_id), SELF
    if consent is not None and consent.subject != citizen.subject:
        found = await behalf.hand(session, under[0], citizen, consent, under[1]) if under else None
        consent, acting = (consent, found) if found else (None, SELF)
    if consent is None:
        raise Problem("consent_not_found")
    (kept,) = await kept_of(session, [consent])
    return replace(kept, acting=acting)


async def kept_of(session: AsyncSession, consents: Sequence[Consent]) -> list[Kept]:
    """Each consent with its client and when anything was last sent under it."""
    sent = await repository_use.last_sent(session, [consent.id for consent in consents])
    parties = {}
    for id in {consent.client_id for consent in consents}:
        client = await clients.find(session, id)
        parties[id] = clients.info(client) if client else ClientInfo(id, frozenset())
    return [Kept(consent, parties[consent.client_id], sent.get(consent.id)) for consent in consents]


async def _past(session: AsyncSession, consent: Consent, now: int, before: paging.Place | None) -> _Past:
    """The page of transfers that ends at `before`, and the moves of the consent that lie among them."""
    places = await repository_use.transfers_before(session, consent.id, limit=paging.PAGE + 1, before=before)
    shown, last = places[: paging.PAGE], places[paging.PAGE - 1] if len(places) > paging.PAGE else None
    latest = [await repository_use.latest(session, consent.id, item.name) for item in consent.asked.items]

    def here(at: int) -> bool:
        return (before is None or at <= before[0]) and (last is None or at > last[0])

    every = await repository.steps_of(session, consent)
    unwritten = consent.standing(now) is not consent.state
    return _Past(
        latest=[outcome for outcome in latest if outcome is not None],
        outcomes=await repository_use.of_transfers(session, [id for _, id in shown]),
        steps=[step for step in every if here(step.after.changed_at)],
        ended_at=consent.terms.end_at if unwritten and here(consent.terms.end_at) else None,
        waiting=await transfers.under_way(session, consent.id),
        older=paging.older(f"/my/consents/{consent.id}", last) if last else None,
    )


def _for_another(view: DetailView, *, may_end: bool) -> DetailView:
    """The page as somebody sees it who acts under a mandate: it leads only where the mandate does."""
    card = replace(view.card, answer=None, resume=None, renew=None)
    ending = replace(view.ending, delete=None, certificate=None) if view.ending else None
    return replace(view, card=card if may_end else replace(card, withdraw=None), receipt=None, ending=ending)


def card_of(site: Site, kept: Kept, spoken: Language) -> ConsentCard:
    """One consent in the list, and at the head of its page."""
    consent, t = kept.consent, words(spoken)
    standing, today = consent.standing(site.now()), korean_day(site.clock())
    place, purpose = f"/my/consents/{consent.id}", site.catalogue.purposes[consent.terms.purpose]
    return ConsentCard(
        href=place,
        who=party(kept.client, spoken).name,
        purpose=purpose.name[spoken],
        state=t(f"state.{standing.value}"),
        state_kind=standing.value,
        given=phrases.moment(consent.created_at, spoken),
        until=phrases.day(consent.terms.end, spoken),
        last_sent=phrases.moment(kept.last_sent, spoken) if kept.last_sent else t("mine.never_sent"),
        withdraw=f"{place}/withdraw" if standing in (State.ACTIVE, State.PAUSED) else None,
        answer=f"/consent/{consent.request_id}" if consent.state in PENDING else None,
        resume=f"{place}/resume" if standing is State.PAUSED else None,
        renew="/my/renewals" if renewed(consent, purpose.max_period, today) else None,
    )


class MyConsents:
    """The endpoints of one of the citizen's consents."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def one(self, request: Request) -> Response:
        """GET /my/consents/{id}."""
        spoken, id = language.of_request(request), request.path_params["consent"]
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                return sign_in_first(f"/my/consents/{id}")
            kept = await own(session, citizen, id, under=(self._site, Power.VIEW))
            labels = await labels_of(session, self._site, SubjectId(kept.consent.subject))
            kept, before = replace(kept, labels=labels), paging.before(request)
            past = await _past(session, kept.consent, self._site.now(), before)
            ending = await ending_view(self._site, session, kept.consent, spoken)
            known = (
                await recognition.of_consent(session, id) if kept.consent.alive(self._site.now()) else None
            )
            ends = await behalf.hand(session, self._site, citizen, kept.consent, Power.WITHDRAW)
        view = self._detail(kept, past, spoken, first=before is None)
        view = replace(view, ending=ending, recognised=recognising.told(known, kept.client, spoken))
        if on_behalf := kept.acting is not SELF:
            view = _for_another(view, may_end=ends is not None)
        return self._site.renderer.page("my_consent", spoken, signed_in=True, view=view, on_behalf=on_behalf)

    async def receipt(self, request: Request) -> Response:
        """GET /my/consents/{id}/receipt: the signed receipt as a file; 202 while it is being made."""
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                raise Problem("sign_in_needed")
            kept = await own(session, citizen, request.path_params["consent"])
        if self._site.receipt is None or not ever_given(kept.consent):
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

    def _detail(self, kept: Kept, past: _Past, spoken: Language, *, first: bool) -> DetailView:
        consent = kept.consent
        kept_receipt = self._site.receipt is not None and ever_given(consent)
        return DetailView(
            card=card_of(self._site, kept, spoken),
            who=party(kept.client, spoken),
            reference=consent.id,
            start=phrases.day(consent.terms.start, spoken),
            retention=phrases.length(consent.terms.retention, spoken),
            outcomes=outcomes_view(self._site, consent, past.latest, spoken, kept.labels),
            history=history_view(self._site, past.steps, past.outcomes, spoken, ended_at=past.ended_at),
            older=past.older,
            newest=None if first else f"/my/consents/{consent.id}",
            receipt=f"/my/consents/{consent.id}/receipt" if kept_receipt else None,
            waiting=past.waiting,
        )
