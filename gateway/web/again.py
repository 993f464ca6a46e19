"""A request that adds to or replaces a consent there is: whose consent it is, and what needs no asking.

Whoever is signed in and is not the citizen of that consent is refused as if there were none: the client is
told `invalid_grant_id`, and neither page nor client learns whose it is. A citizen who has answered everything
asked already is not asked again: the client gets a code for what stands, and its earlier tokens are dead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from consent import repository, service
from consent.errors import MoveError
from consent.events import Event
from consent.items import Terms, to_details
from consent.merging import asks_more
from consent.records import Consent
from consent.service import Asked
from gateway.errors import Problem
from gateway.oauth import interactions
from gateway.oauth.grants import find_grant
from gateway.oauth.interactions import Pending, Settlement
from gateway.web import recognising
from gateway.web.question import Question
from gateway.web.settling import settle
from gateway.web.site import Site

INVALID_GRANT_ID = "invalid_grant_id"


async def standing_of(session: AsyncSession, pending: Pending, subject: str, *, at: int) -> Consent | None:
    """The consent to be changed, if it is this citizen's and in force."""
    grant = await find_grant(session, pending.managed.grant_id or "")
    if grant is None or grant.client_id != pending.client.id or grant.refusal(at):
        return None
    consent = await repository.load(session, grant.consent_id)
    return consent if consent is not None and consent.subject == subject else None


def answered_before(found: Question) -> bool:
    """Whether the citizen has decided on all of it already, and nobody wants the page shown."""
    if found.standing is None or not found.merging or "consent" in found.pending.openid.prompt:
        return False
    if not recognising.agreed_before(found.pending, found.known):
        return False
    return not asks_more(found.asked, found.standing.asked)


async def not_theirs(site: Site, pending: Pending, session_hash: str) -> Response:
    """Settle a request about a grant this citizen does not have; the client is told, the citizen sent on."""
    refused = Settlement(allowed=False, session_hash=session_hash, error=INVALID_GRANT_ID)
    async with _first_answer_stands(), site.database.transaction() as session:
        await settle(session, pending.interaction_id, refused, at=site.now())
    return RedirectResponse(interactions.resume_path(pending.interaction_id), 303)


async def amend(site: Site, session: AsyncSession, asked: Asked, agreed: Terms, standing: Consent) -> Consent:
    """Store the citizen's yes as the next version of the consent they saw, and what follows from it.

    Raises MoveError as `consent.service.amend` does.
    """
    after = await service.amend(
        session,
        site.journal,
        asked,
        agreed,
        consent_id=standing.id,
        version=standing.version,
        at=site.now(),
    )
    if site.after_change is not None:
        await site.after_change(session, standing, after)
    return after


async def go_on(site: Site, found: Question, standing: Consent) -> Response:
    """Settle with what was agreed before: nothing of the consent changes, every earlier token ends.

    Raises Problem `ledger_behind` while nothing may be given, `consent_moved_on` when it changed meanwhile.
    """
    if site.may_grant is not None:
        await site.may_grant()
    now, id = site.now(), found.pending.interaction_id
    async with _first_answer_stands(), site.database.transaction() as session:
        live = await repository.load(session, standing.id, lock=True)
        if live is None or live.version != standing.version or not live.alive(now):
            raise MoveError("consent_moved_on")
        await site.journal.append(
            session,
            Event.TOKEN_REFRESH_REVOKED,
            subject=live.subject,
            party=live.client_id,
            payload={"grant": str(found.pending.managed.grant_id), "why": "asked_again"},
            at=now,
            idem=f"asked-again/{id}",
        )
        again, spoken = recognising.as_before(found.pending, found.known)
        await recognising.keep(session, site, found.pending, found.citizen, ticked=again, spoken=spoken)
        answer = Settlement(
            allowed=True,
            session_hash=found.citizen.id_hash,
            consent_id=live.id,
            consent_version=live.version,
            subject_id=live.subject,
            details=to_details(live.terms),
        )
        await settle(session, id, answer, at=now)
    return RedirectResponse(interactions.resume_path(id), 303)


@asynccontextmanager
async def _first_answer_stands() -> AsyncIterator[None]:
    """Opened twice at once, a request is settled once; whoever came second goes on with that."""
    try:
        yield
    except Problem as problem:
        if problem.code != "request_answered":
            raise
