"""A request that waits for its citizen: put before them, put off by them, and what becomes of it then.

A request is on record from the moment a signed-in citizen is first shown it; leaving changes nothing. Putting
the answer off is as good an answer as any for now: nothing is sent, nothing is told to the company, and the
request can be answered from the overview until its time is over.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import asking, repository
from consent.errors import MoveError
from consent.records import PENDING, By, Consent, State
from consent.subjects import SubjectId
from gateway.errors import Language, Problem
from gateway.oauth import clients, interactions
from gateway.oauth.stages import Stage, reach
from gateway.security.sessions import CitizenSession
from gateway.web import language, phrases
from gateway.web.consent_view import party
from gateway.web.question import Question, asked_of, shown_to_citizen
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site

GUARDIAN_NEEDED = "guardian_needed"
"""Why the gateway itself puts a child's request off (PIPA 22-2)."""


async def record_of(
    session: AsyncSession, interaction_id: str, citizen: CitizenSession | None
) -> Consent | None:
    """What is on record of the request for this citizen."""
    if citizen is None:
        return None
    return await repository.of_request(session, interaction_id, SubjectId(citizen.subject))


def too_late(record: Consent, answer_by: int, *, at: int) -> bool:
    """Whether the citizen comes back to a request they had put off when its time is over."""
    lapsed = record.why == asking.NOT_ANSWERED and record.version > 1
    return answer_by <= at and (record.state is State.DEFERRED or lapsed)


async def put_before(site: Site, found: Question, spoken: Language) -> Question:
    """The question with its record, made when this citizen is shown it for the first time.

    A request about a consent that stands has none of its own: its yes is the next version of that one.
    """
    fresh = found.standing is None and found.record is None
    if not fresh and found.pending.stage >= Stage.SHOWN:
        return found
    record = found.record
    async with site.database.transaction() as session:
        if fresh:
            record = await asking.ask(session, site.journal, asked_of(site, found, spoken), at=site.now())
        await reach(session, found.pending.interaction_id, Stage.SHOWN)
    return replace(found, record=record)


async def chose(site: Site, found: Question, *, agreeing: bool) -> None:
    """The citizen has begun to choose. Only counted: a store that fails holds nobody up."""
    if agreeing or found.pending.stage >= Stage.CHOSE:
        return
    with suppress(Problem):
        async with site.database.transaction() as session:
            await reach(session, found.pending.interaction_id, Stage.CHOSE)


async def put_off(site: Site, found: Question, spoken: Language) -> Response:
    """The citizen decides later. Raises Problem `form_invalid` where the page had no such button."""
    if found.standing is not None or found.acting.mandate is not None:
        raise Problem("form_invalid", detail="a request about a consent that stands is not put off")
    return await _defer(site, found, spoken, by=By.CITIZEN, why=None)


async def for_guardian(site: Site, found: Question, spoken: Language) -> Response:
    """A child's request waits for the guardian (법정대리인); the child is told what to do."""
    if found.standing is not None:
        raise Problem(GUARDIAN_NEEDED)
    return await _defer(site, found, spoken, by=By.GATEWAY, why=GUARDIAN_NEEDED)


async def _defer(site: Site, found: Question, spoken: Language, *, by: By, why: str | None) -> Response:
    id = found.pending.interaction_id
    try:
        async with site.database.transaction() as session:
            asked = asked_of(site, found, spoken)
            await asking.defer(session, site.journal, asked, at=site.now(), by=by, why=why)
            if by is By.CITIZEN:
                await reach(session, id, Stage.CHOSE)
    except MoveError as error:
        if error.code not in {"consent_move_illegal", "consent_moved_on"}:
            raise
        return RedirectResponse(f"/consent/{id}", 303)  # answered meanwhile: the page shows how
    return RedirectResponse(f"/consent/{id}/later", 303)


class Later:
    """The page of a request that was put off."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET /consent/{interaction}/later: nothing was sent; where to answer, until when."""
        id = request.path_params["interaction"]
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            record = await record_of(session, id, citizen)
            row = await interactions.find(session, id)
            client = await clients.find(session, row.client_id) if row else None
        if row is None or client is None:
            raise Problem("request_unknown")
        if citizen is None:
            return sign_in_first(f"/consent/{id}")
        if record is None or record.state not in PENDING or row.settled_at is not None:
            return RedirectResponse(f"/consent/{id}", 303)
        spoken = language.of_request(request)
        guarded = record.why == GUARDIAN_NEEDED
        return self._site.renderer.page(
            "later",
            spoken,
            signed_in=True,
            who=party(clients.info(client), spoken),
            interaction=id,
            shown=f"{record.text_hash}.{shown_to_citizen(citizen, id)}",
            until=phrases.clock(row.answer_by, spoken),
            guarded=guarded,
            number=record.subject if guarded else None,
            answer=None if guarded else f"/consent/{id}",
        )
