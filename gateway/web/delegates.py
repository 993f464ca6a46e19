"""/my/delegates: who acts for me, for whom I act, and naming a delegate by a code. Plain forms.

A code is shown once, on the page that answers the naming, and is kept nowhere. Either side ends a mandate at
any time. Guardians stand here too; nobody makes themselves one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import invitations, mandate_endings, mandates, repository
from consent.calendar import day_ends, korean_day, korean_day_of, parse_date
from consent.invitations import Offered
from consent.mandates import Mandate, Power, Role
from consent.records import PENDING, By, Consent
from consent.subjects import SubjectError, SubjectId
from gateway.errors import Language, Problem
from gateway.oauth import clients
from gateway.oauth.lasting import follow
from gateway.security.sessions import CitizenSession
from gateway.web import behalf, language, phrases
from gateway.web.consent_view import party
from gateway.web.forms import Form, read_form
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.words import words

HERE = "/my/delegates"
_NAME = 40


@dataclass(frozen=True)
class Line:
    """One request or consent of whom the citizen acts for: what, how it stands, where."""

    who: str
    purpose: str
    state: str
    href: str


@dataclass(frozen=True)
class MandateView:
    """One mandate as either side sees it."""

    id: str
    role: str
    name: str
    powers: tuple[str, ...]
    sectors: tuple[str, ...]
    until: str
    endable: bool
    waiting: tuple[Line, ...] = ()
    consents: tuple[Line, ...] = ()


class Delegates:
    """The endpoints of acting and letting act."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET: both lists, the form that names a delegate, the form that takes a code."""
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
        if citizen is None:
            return sign_in_first(HERE)
        return await self._page(request, citizen)

    async def invite(self, request: Request) -> Response:
        """POST /my/delegates: name a delegate; the code is on the page that answers, this once.

        Raises Problem `form_invalid`, `sign_in_needed`, `guardian_needed` (a child names nobody), and
        MandateError `mandate_too_long`.
        """
        form = await read_form(
            request, single=("name", "until"), repeated=("power", "sector"), required=("name", "until")
        )
        citizen = await self._citizen(request)
        if citizen.age_band == "child":
            raise Problem("guardian_needed")
        offered, subject = self._offered(form), SubjectId(citizen.subject)
        site = self._site
        async with site.database.transaction() as session:
            code = await invitations.invite(
                session, site.journal, subject, offered, party=site.party, at=site.now()
            )
        return await self._page(request, citizen, code=f"{code[:5]}-{code[5:]}")

    async def accept(self, request: Request) -> Response:
        """POST /my/delegates/accept: type the code. Raises Problem `mandate_code`, MandateError."""
        form = await read_form(request, single=("code",), required=("code",))
        citizen, site = await self._citizen(request), self._site
        if citizen.age_band != "adult":
            raise Problem("mandate_unknown")
        actor, code = SubjectId(citizen.subject), form.one("code")[:64]
        async with site.database.transaction() as session:
            made = await invitations.accept(
                session, site.journal, actor, code, party=site.party, at=site.now()
            )
        if made is None:
            raise Problem("mandate_code")
        return RedirectResponse(HERE, 303)

    async def end(self, request: Request) -> Response:
        """POST /my/delegates/{mandate}/end: by the citizen or by the delegate; a guardian's only by the
        operator. Repeating it changes nothing. Raises Problem `mandate_unknown`.
        """
        await read_form(request, single=("decision",), required=("decision",))
        citizen, site = await self._citizen(request), self._site

        async def paused(session: AsyncSession, before: Consent, after: Consent) -> None:
            await follow(session, after)
            if site.after_change is not None:
                await site.after_change(session, before, after)

        async with site.database.transaction() as session:
            found = await mandates.find(session, request.path_params["mandate"])
            if found is None or found.role is Role.GUARDIAN:
                raise Problem("mandate_unknown")
            if citizen.subject not in (found.subject, found.actor):
                raise Problem("mandate_unknown")
            by = By.CITIZEN if citizen.subject == found.subject else By.DELEGATE
            await mandate_endings.end(
                session,
                site.journal,
                found.id,
                by=by,
                why=f"by_{by.value}",
                party=site.party,
                at=site.now(),
                paused=paused,
            )
        return RedirectResponse(HERE, 303)

    async def done(self, request: Request) -> Response:
        """GET /for/{mandate}/consent/{interaction}/done: answered; whom it is for goes on."""
        spoken = language.of_request(request)
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                return sign_in_first(HERE)
            await behalf.mandate_of(session, self._site, citizen, request.path_params["mandate"])
        return self._site.renderer.page("answered_for", spoken, signed_in=True)

    def _offered(self, form: Form) -> Offered:
        name, powers = form.one("name").strip(), form.all("power")
        sectors = frozenset(form.all("sector"))
        if not 1 <= len(name) <= _NAME or not name.isprintable():
            raise Problem("form_invalid", detail="a name of 1 to 40 characters is needed")
        if not powers or not set(powers) <= {power.value for power in Power}:
            raise Problem("form_invalid", detail="no power, or one there is not")
        if not sectors or not sectors <= self._sectors():
            raise Problem("form_invalid", detail="no sector, or one there is not")
        try:
            until = day_ends(parse_date(form.one("until")))
        except (ValueError, OverflowError) as error:
            raise Problem("form_invalid", detail="until is no day") from error
        return Offered(frozenset(map(Power, powers)), sectors, until, name)

    def _sectors(self) -> frozenset[str]:
        return frozenset(holder.sector for holder in self._site.holders.values())

    async def _citizen(self, request: Request) -> CitizenSession:
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
        if citizen is None:
            raise Problem("sign_in_needed")
        return citizen

    async def _page(self, request: Request, citizen: CitizenSession, *, code: str | None = None) -> Response:
        spoken, now, t = language.of_request(request), self._site.now(), words(language.of_request(request))
        subject = SubjectId(citizen.subject)
        async with self._site.database.reading() as session:
            for_me = [
                await self._view(session, one, spoken, mine=True)
                for one in await mandates.of_subject(session, subject, now)
            ]
            by_me = [
                await self._view(session, one, spoken, mine=False)
                for one in await mandates.of_actor(session, subject, now)
            ]
        today = korean_day(self._site.clock())
        page: Response = self._site.renderer.page(
            "delegates",
            spoken,
            signed_in=True,
            for_me=for_me,
            by_me=by_me,
            code=code,
            number=citizen.subject,
            powers=[(power.value, t(f"mandate.power_{power.value}")) for power in Power],
            sectors=[(name, self._site.catalogue.sectors[name][spoken]) for name in sorted(self._sectors())],
            first=(today + timedelta(days=1)).isoformat(),
            last=(today + timedelta(days=364)).isoformat(),
            may_name=citizen.age_band != "child",
            may_accept=citizen.age_band == "adult",
        )
        page.headers["cache-control"] = "no-store"
        return page

    async def _view(
        self, session: AsyncSession, mandate: Mandate, spoken: Language, *, mine: bool
    ) -> MandateView:
        t = words(spoken)
        waiting: list[Line] = []
        consents: list[Line] = []
        if not mine:
            for consent in await repository.of_subject(session, mandate.subject, limit=20):
                within, now = behalf.sectors(self._site, consent.asked.items), self._site.now()
                pending = consent.state in PENDING
                if mandate.may(Power.ANSWER if pending else Power.VIEW, within, now):
                    line = await self._line(session, mandate, consent, spoken)
                    (waiting if pending else consents).append(line)
        return MandateView(
            id=mandate.id,
            role=t(f"mandate.role_{mandate.role.value}_{'mine' if mine else 'of'}"),
            name=await self._name(session, mandate),
            powers=tuple(t(f"mandate.power_{power.value}") for power in Power if power in mandate.powers),
            sectors=tuple(self._site.catalogue.sectors[name][spoken] for name in sorted(mandate.sectors)),
            until=phrases.day(korean_day_of(mandate.until - 1), spoken),
            endable=mandate.role is Role.DELEGATE,
            waiting=tuple(waiting),
            consents=tuple(consents),
        )

    async def _line(
        self, session: AsyncSession, mandate: Mandate, consent: Consent, spoken: Language
    ) -> Line:
        client = await clients.find(session, consent.client_id)
        standing = consent.standing(self._site.now()).value
        pending = consent.state in PENDING
        place = f"/for/{mandate.id}/consent/{consent.request_id}" if pending else f"/my/consents/{consent.id}"
        return Line(
            who=party(clients.info(client), spoken).name if client else consent.client_id,
            purpose=self._site.catalogue.purposes[consent.terms.purpose].name[spoken],
            state=words(spoken)(f"state.{standing}"),
            href=place,
        )

    async def _name(self, session: AsyncSession, mandate: Mandate) -> str:
        """What the citizen called themselves to the delegate; nothing once their key is gone."""
        try:
            key = await self._site.journal.keys.key(session, mandate.subject)
            return key.unseal(mandate.names, mandates.names_context(mandate.id)).decode()
        except (SubjectError, UnicodeDecodeError):
            return ""
