"""Sign-in: a page that says where you go, the way there, and the way back into a fresh session.

The citizen is told before leaving. What comes back counts only for the browser that left, once, within ten
minutes, and only if it names the provider (RFC 9207). No password is ever asked for here.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import repository, repository_members
from consent.events import Event
from consent.subjects import SubjectId
from gateway.errors import Problem
from gateway.oauth import clients, interactions
from gateway.oauth.interactions import Pending
from gateway.oauth.stages import Stage, reach
from gateway.security import citizens
from gateway.security.ages import remember_age
from gateway.security.sessions import AgeBand, hashed
from gateway.web import language, question
from gateway.web.consent_view import party
from gateway.web.forms import read_form
from gateway.web.holder_links import Linked, keep_links, make_links
from gateway.web.identity import ANY, Attempt, Person
from gateway.web.site import Site
from gateway.web.wish import wish_of

HOME = "/my/consents"
_PLACE = re.compile(
    r"(?:/for/m-[0-9a-f]{1,40})?/consent/[A-Za-z0-9_-]{8,128}"
    r"|/my/[a-z-]{1,32}(?:/[A-Za-z0-9_-]{1,64}(?:/[a-z-]{1,32})?)?",
    re.ASCII,
)
_CONSENT = re.compile(r"/consent/([A-Za-z0-9_-]{8,128})", re.ASCII)
_ANSWER = re.compile(r"[\x21-\x7e]{1,2048}", re.ASCII)


def sign_in_first(place: str) -> Response:
    """Send a browser that has no session to sign in, and then to `place`."""
    return RedirectResponse(f"/sign-in?to={place}", 303)


class SignIn:
    """The endpoints of sign-in and sign-out."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site
        self._cookie = f"{site.sessions.cookie}-sign-in"

    async def show(self, request: Request) -> Response:
        """GET /sign-in: who asks, who will confirm the citizen's identity, and a way to say no at once."""
        place = _place(request)
        pending, asking = None, None
        if found := _CONSENT.fullmatch(place):
            async with self._site.database.reading() as session:
                pending, _ = await question.load(session, found[1], at=self._site.now())
        spoken = language.of_request(request, pending.ui_locales or "" if pending else "")
        if pending:
            await self._opened(pending)
            asking = party(clients.info(pending.client), spoken)
        return self._site.renderer.page(
            "sign_in",
            spoken,
            provider=self._site.provider[spoken],
            go=f"/sign-in/start?to={place}",
            who=asking,
            decline=f"{place}/decline",
        )

    async def start(self, request: Request) -> Response:
        """GET /sign-in/start: begin an attempt bound to this browser and go to the provider."""
        self._site.sign_ins.spend(request.client.host if request.client else None)
        pending, now = await self._pending(_place(request)), self._site.now()
        wish = wish_of(pending) if pending else ANY
        spoken = language.of_request(request, pending.ui_locales or "" if pending else "")
        attempt = Attempt(*(secrets.token_urlsafe(32) for _ in range(3)))
        address = await self._site.identity.begin(attempt, spoken, wish)
        browser = request.cookies.get(self._cookie) or secrets.token_urlsafe(32)
        begun = citizens.SignIn(
            state_hash=hashed(attempt.state),
            browser_hash=hashed(browser),
            nonce=attempt.nonce,
            code_verifier=attempt.code_verifier,
            return_to=_place(request),
            language=spoken,
            since=None if wish.max_age is None else now - wish.max_age,
        )
        async with self._site.database.transaction() as session:
            await citizens.keep_sign_in(session, begun, at=now)
            if pending:
                await reach(session, pending.interaction_id, Stage.LEFT_TO_SIGN_IN)
        response = RedirectResponse(address, 303)
        self._site.sessions.put(response, browser, cookie=self._cookie)
        return response

    async def back(self, request: Request) -> Response:
        """GET /sign-in/return: what the provider sent back; a fresh session and the citizen's links."""
        begun = await self._claimed(request)
        attempt = Attempt("", begun.nonce, begun.code_verifier)
        code = request.query_params.get("code", "")
        person = await self._site.identity.finish(code, attempt, begun.since)
        identity = citizens.identity_hash(self._site.identity_key, person.issuer, person.subject)
        async with self._site.database.transaction() as session:
            subject = await citizens.subject_of(session, self._site.journal.keys, identity)
            wanted = await self._unlinked(session, subject, begun.return_to)
        linked = await make_links(self._site, person, wanted)
        async with self._site.database.transaction() as session:
            name = await self._open(session, request, begun, (subject, person, linked))
        response = RedirectResponse(begun.return_to, 303)
        self._site.sessions.put(response, name)
        self._site.sessions.take_back(response, cookie=self._cookie)
        return response

    async def end(self, request: Request) -> Response:
        """POST /sign-out: forget this browser."""
        await read_form(request, single=())
        if session_hash := self._site.sessions.session_hash(request):
            async with self._site.database.transaction() as session:
                await self._site.sessions.end(session, session_hash)
        response = RedirectResponse("/signed-out", 303)
        self._site.sessions.take_back(response)
        return response

    async def ended(self, request: Request) -> Response:
        """GET /signed-out."""
        return self._site.renderer.message(
            language.of_request(request), "message.signed_out", "message.signed_out_about"
        )

    async def _claimed(self, request: Request) -> citizens.SignIn:
        """The attempt this answer belongs to. Every refusal looks the same from outside."""
        query = request.query_params
        if len(query.multi_items()) != len(query) or query.get("iss") != self._site.identity.issuer:
            raise Problem("sign_in_failed", detail="answer of another issuer or with doubled parameters")
        browser, state = request.cookies.get(self._cookie, ""), query.get("state", "")
        async with self._site.database.transaction() as session:
            begun = await citizens.claim_sign_in(
                session, state_hash=hashed(state), browser_hash=hashed(browser), at=self._site.now()
            )
        if begun is None:
            raise Problem("sign_in_failed", detail="unknown, used or foreign state")
        if "error" in query or not _ANSWER.fullmatch(query.get("code", "")):
            raise Problem("sign_in_failed", detail="the provider answered with an error")
        return begun

    async def _opened(self, pending: Pending) -> None:
        """Somebody came to answer. Only counted: a store that fails holds nobody up."""
        if pending.stage < Stage.OPENED:
            with suppress(Problem):
                async with self._site.database.transaction() as session:
                    await reach(session, pending.interaction_id, Stage.OPENED)

    async def _pending(self, place: str) -> Pending | None:
        """The request this sign-in is for, if it is for one that can still be answered."""
        if found := _CONSENT.fullmatch(place):
            with suppress(Problem):  # the page itself says what became of the request
                async with self._site.database.reading() as session:
                    return await interactions.load(session, found[1], at=self._site.now())
        return None

    async def _unlinked(self, session: AsyncSession, subject: SubjectId, place: str) -> tuple[str, ...]:
        """The holders of the pending request and of living consents that do not know this citizen yet."""
        now = self._site.now()
        wanted = [
            holder
            for consent in await repository.open_of_subject(session, subject, now)
            if consent.alive(now)
            for holder in consent.terms.holders
        ]
        if found := _CONSENT.fullmatch(place):
            with suppress(Problem):  # the page itself says what became of the request
                wanted += (await question.load(session, found[1], at=now))[1].holders
        known = await repository_members.links(session, subject)
        return tuple(holder for holder in dict.fromkeys(wanted) if holder not in known)

    async def _open(
        self,
        session: AsyncSession,
        request: Request,
        begun: citizens.SignIn,
        found: tuple[SubjectId, Person, Linked],
    ) -> str:
        subject, person, linked = found
        await keep_links(session, self._site, subject, linked.made)
        await remember_age(session, self._site.journal.keys, subject, person.age, self._site.now())
        await self._site.journal.append(
            session,
            Event.CITIZEN_SESSION_STARTED,
            subject=subject,
            party=self._site.party,
            payload={"age_band": _age_band(person.age)},
            at=self._site.now(),
        )
        return await self._site.sessions.open(
            session,
            subject=subject,
            age_band=_age_band(person.age),
            language=begun.language,
            instead_of=self._site.sessions.session_hash(request),
            unavailable=linked.unavailable,
            how=person.how,
        )


def _place(request: Request) -> str:
    """Where to go after sign-in: one of our own pages, never an address from outside."""
    wished = request.query_params.get("to", HOME)
    return wished if _PLACE.fullmatch(wished) else HOME


def _age_band(age: int) -> AgeBand:
    if age < 14:
        return "child"
    return "youth" if age < 19 else "adult"
