"""Pages for somebody else: a guardian for a child, a delegate for who named them. Never beyond the mandate.

Whose consent it is stays whose consent it is: the record, the entry and the grant are the citizen's, the hand
is the actor's. The code for the company is taken by the citizen's own browser alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import mandates, repository, repository_members
from consent.acting import SELF, Acting
from consent.items import Item, Terms
from consent.mandates import Mandate, Power
from consent.records import PENDING, By, Consent
from consent.subjects import SubjectId
from gateway.errors import Problem
from gateway.oauth import clients, recognition
from gateway.oauth.interactions import REQUESTS
from gateway.security.sessions import CitizenSession, SignedIn, hashed
from gateway.web import account_lists, question
from gateway.web.question import Question
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site

STEP_UP_SECONDS = 300
"""A delegate who agrees to something sensitive has signed in this recently."""

_OTHERS = (By.GUARDIAN, By.DELEGATE)


def sectors(site: Site, items: Iterable[Item]) -> frozenset[str]:
    """The sectors these items lie in."""
    return frozenset(site.catalogue.dataset(item.dataset).sector for item in items)


async def hand(
    session: AsyncSession, site: Site, citizen: CitizenSession, consent: Consent, power: Power
) -> Acting | None:
    """As whom the signed-in citizen may do `power` to this consent now; None: not at all."""
    if consent.subject == citizen.subject:
        return SELF
    now, within = site.now(), sectors(site, consent.asked.items)
    for mandate in await mandates.of_actor(session, SubjectId(citizen.subject), now):
        if mandate.subject == consent.subject and mandate.may(power, within, now):
            return mandate.acting
    return None


async def mandate_of(session: AsyncSession, site: Site, citizen: CitizenSession, id: str) -> Mandate:
    """The mandate `id` if it is this citizen's to act under now; else Problem `mandate_unknown`."""
    for mandate in await mandates.of_actor(session, SubjectId(citizen.subject), site.now()):
        if mandate.id == id:
            return mandate
    raise Problem("mandate_unknown")


async def waiting_for(session: AsyncSession, mandate: Mandate, *, limit: int = 20) -> list[Consent]:
    """The newest requests put before whom the mandate is for, and not answered yet."""
    found = await repository.of_subject(session, mandate.subject, limit=limit)
    return [consent for consent in found if consent.state in PENDING]


async def asked_for(site: Site, request: Request, *, answering: bool) -> Question | Response:
    """The question as somebody answers it for another; or where the browser has to go first.

    Raises Problem `mandate_unknown` (not theirs, ended, or not for answering in every sector asked),
    `consent_not_found` (never put before that citizen), `own_sign_in_needed` (the client demands how or when
    the citizen signs in, and nobody does that for them), `step_up_needed`, and as the citizen's own page.
    """
    id, now = request.path_params["interaction"], site.now()
    async with site.database.reading() as session:
        actor = await site.sessions.find(session, request)
        if actor is None:
            if answering:
                raise Problem("sign_in_needed")
            return sign_in_first(request.url.path)
        mandate = await mandate_of(session, site, actor, request.path_params["mandate"])
        record = await repository.of_request(session, id, mandate.subject)
        if record is None:
            raise Problem("consent_not_found")
        if record.state not in PENDING:
            return RedirectResponse(f"/for/{mandate.id}/consent/{id}/done", 303)
        pending, terms = await question.load(session, id, at=now)
        known = await repository_members.links(session, mandate.subject)
    if pending.managed.changes or not mandate.may(Power.ANSWER, sectors(site, terms.items), now):
        raise Problem("mandate_unknown")
    missing = {holder: "holder_no_link" for holder in terms.holders if holder not in known}
    whom = _instead(actor, mandate, missing)
    if site.answering.unmet(pending, whom) is not None:
        raise Problem("own_sign_in_needed")
    withheld = await site.precheck(terms, pending.client.id) if site.precheck else {}
    found = Question(pending, clients.info(pending.client), terms, whom, withheld)
    found = replace(found, record=record, acting=mandate.acting)
    asked = account_lists.asked_by(pending, whom.subject)
    offers = await account_lists.offered(site, asked, found.choosable, missing, ask=not answering)
    return replace(found, offers=offers)


def _instead(actor: CitizenSession, mandate: Mandate, missing: dict[str, str]) -> CitizenSession:
    """The citizen whom it is for, as if signed in here; no browser holds the session this names.

    Nothing is told of how the actor signed in: that is not how the citizen did.
    """
    return replace(
        actor,
        id_hash=hashed(secrets.token_urlsafe(32)),
        subject=mandate.subject,
        unavailable=missing,
        age_band="adult",
        how=SignedIn(),
    )


async def still(session: AsyncSession, site: Site, found: Question) -> None:
    """Raise Problem `mandate_unknown` if the mandate has ended since; in the transaction of the answer."""
    if found.acting.mandate is None:
        return
    mandate = await mandates.find(session, found.acting.mandate, hold=True)
    if mandate is None or not mandate.holds(site.now()):
        raise Problem("mandate_unknown")


def refuse_unproven(site: Site, found: Question, items: Iterable[Item]) -> None:
    """Raise Problem `step_up_needed` for a delegate's yes to something sensitive without a fresh sign-in."""
    if found.acting.by is not By.DELEGATE or site.now() - found.citizen.created_at < STEP_UP_SECONDS:
        return
    for item in items:
        dataset = site.catalogue.dataset(item.dataset)
        if any(dataset.fields[name].sensitive for name in item.fields):
            raise Problem("step_up_needed")


def refuse_youth(site: Site, citizen: CitizenSession, terms: Terms) -> None:
    """Raise Problem `not_for_youth` for what somebody of 14 to 18 does not agree to alone; data says what."""
    allowed = site.catalogue.purposes[terms.purpose].youth
    if citizen.age_band == "youth" and not sectors(site, terms.items) <= set(allowed):
        raise Problem("not_for_youth")


async def take_over(site: Site, row: Row[Any], record: Consent | None, citizen: CitizenSession) -> None:
    """The citizen's own browser takes an answer somebody gave for them, while the request's time lasts."""
    now = site.now()
    given = record is not None and record.by in _OTHERS and record.state not in PENDING
    if not given or row.finished_at is not None or row.answer_by <= now:
        return
    if row.session_hash == citizen.id_hash:
        return
    this = (REQUESTS.c.interaction_id == row.interaction_id) & REQUESTS.c.finished_at.is_(None)
    async with site.database.transaction() as session:
        taken = update(REQUESTS).where(this).values(session_hash=citizen.id_hash, taken_at=now)
        if (await session.execute(taken.returning(REQUESTS.c.interaction_id))).one_or_none() is not None:
            await recognition.signed_in_as(session, row.interaction_id, citizen.how)
