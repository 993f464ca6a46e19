"""GET and POST /consent/{interaction}: the question, and the citizen's one answer.

Refusing never fails because of what is ticked. Agreeing counts only for the text this citizen was shown, with
boxes that were on the page, before the request expires, once; consent, ledger entry and settlement commit
together or not at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import repository_members, service
from consent.choices import Choices
from consent.errors import ChoiceError, MoveError
from consent.items import Terms, to_details
from consent.subjects import SubjectId
from consent.text import build
from gateway.errors import Language, Problem
from gateway.oauth import clients, interactions, recognition
from gateway.oauth.interactions import Settlement
from gateway.web import (
    account_lists,
    again,
    behalf,
    earlier,
    language,
    question,
    recognising,
    row_choices,
    waiting,
)
from gateway.web.before_asking import elsewhere_first
from gateway.web.choosing import read_choices, wrong_choices
from gateway.web.forms import Form, read_form
from gateway.web.question import Question, Shown, consent_page, shown_to, wording
from gateway.web.settling import settle
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.words import LANGUAGES

_SWITCHES: dict[str, Language] = {"language-ko": "ko", "language-en": "en"}
_DECISIONS = frozenset({"", "agree", "refuse", "later", "look", *_SWITCHES})


class ConsentPage:
    """The endpoints of the question."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET: the page, no box ticked but what was chosen before (`earlier`); sign-in first if need be."""
        found = await self._question(request)
        if isinstance(found, Response):
            return found
        if found.standing is not None and again.answered_before(found):
            return await again.go_on(self._site, found, found.standing)
        found = await waiting.put_before(self._site, found, _spoken(request, found))
        if found.citizen.age_band == "child":
            return await waiting.for_guardian(self._site, found, _spoken(request, found))
        choices = earlier.chosen_before(found, self._site.catalogue)
        return consent_page(self._site, found, Shown(_spoken(request, found), choices, {}))

    async def answer(self, request: Request) -> Response:
        """POST: the answer, or the page again in the other language or with what has to be put right."""
        form = await read_form(
            request,
            single=("interaction", "shown", "decision", *row_choices.SINGLE),
            repeated=("item", "field", "claim", *row_choices.REPEATED),
            required=("interaction", "shown"),
        )
        decision = form.one("decision")
        if form.one("interaction") != request.path_params["interaction"] or decision not in _DECISIONS:
            raise Problem("form_invalid", detail="another interaction or an unknown decision")
        found = await self._question(request, answering=True)
        if isinstance(found, Response):
            return found
        if form.one("shown").partition(".")[2] not in ("", shown_to(found)):
            raise Problem("page_of_another")
        if decision == "refuse":
            return await self._refused(found, self._text_seen(request, found, form)[0])
        if decision == "later":
            return await waiting.put_off(self._site, found, self._text_seen(request, found, form)[0])
        if found.citizen.age_band == "child":
            raise Problem("guardian_needed")
        found = replace(found, ticked=recognising.ticked_of(form, found.pending))
        choices = read_choices(
            form,
            found.terms,
            catalogue=self._site.catalogue,
            withheld=found.withheld,
            offers=found.offers,
            may_end=not found.merging,
        )
        await waiting.chose(self._site, found, agreeing=decision == "agree")
        if decision in _SWITCHES:
            return await self._switched(found, choices, _SWITCHES[decision])
        return await self._decided(request, found, form, choices)

    async def _decided(self, request: Request, found: Question, form: Form, choices: Choices) -> Response:
        spoken, current = self._text_seen(request, found, form)
        if form.one("decision") == "look":
            return consent_page(self._site, found, Shown(spoken, choices, {}, notice="refreshed"))
        if not form.one("decision"):
            shown = Shown(spoken, choices, {}, failure="choose_decision")
            return consent_page(self._site, found, shown, status=422)
        if not current:
            shown = Shown(spoken, choices, {}, notice="changed")
            return consent_page(self._site, found, shown, status=409)
        if wrong := wrong_choices(found.terms, choices, self._site.catalogue, found.offers):
            return consent_page(self._site, found, Shown(spoken, choices, wrong), status=422)
        try:
            agreed = found.agreed(choices, self._site.catalogue)
        except ChoiceError as error:
            if error.code != "nothing_chosen":
                raise
            shown = Shown(spoken, choices, {}, failure="nothing_chosen")
            return consent_page(self._site, found, shown, status=422)
        return await self._agreed(found, agreed, spoken)

    async def _agreed(self, found: Question, agreed: Terms, spoken: Language) -> Response:
        if self._site.may_grant is not None:
            await self._site.may_grant()
        behalf.refuse_unproven(self._site, found, agreed.items)
        asked, now = question.asked_of(self._site, found, spoken), self._site.now()
        async with _first_answer_stands(), self._site.database.transaction() as session:
            await behalf.still(session, self._site, found)
            if found.standing is None:
                consent = await service.give(session, self._site.journal, asked, agreed, at=now)
            else:
                consent = await again.amend(self._site, session, asked, agreed, found.standing)
            await recognising.keep(
                session, self._site, found.pending, found.citizen, ticked=found.ticked, spoken=spoken
            )
            await account_lists.keep_chosen(
                session, self._site, consent.subject, agreed, found.offers, at=now
            )
            answer = Settlement(
                allowed=True,
                session_hash=found.citizen.id_hash,
                consent_id=consent.id,
                consent_version=consent.version,
                subject_id=consent.subject,
                details=to_details(consent.terms),
            )
            await settle(session, asked.request_id, answer, at=now)
        self._site.tell_holders()
        return _done(found.place)

    async def _refused(self, found: Question, spoken: Language) -> Response:
        asked, now = question.asked_of(self._site, found, spoken), self._site.now()
        async with _first_answer_stands(), self._site.database.transaction() as session:
            await behalf.still(session, self._site, found)
            await service.refuse(session, self._site.journal, asked, at=now)
            answer = Settlement(allowed=False, session_hash=found.citizen.id_hash)
            await settle(session, asked.request_id, answer, at=now)
        self._site.tell_holders()
        return _done(found.place)

    async def _switched(self, found: Question, choices: Choices, spoken: Language) -> Response:
        """The same page in another language; what is ticked stays ticked."""
        page = consent_page(self._site, found, Shown(spoken, choices, {}))
        language.remember(page, spoken, secure=self._site.secure)
        return page

    def _text_seen(self, request: Request, found: Question, form: Form) -> tuple[Language, bool]:
        """The language of the text the citizen saw, and whether that text is still the current one."""
        for spoken in LANGUAGES:
            text = build(found.whole, wording(self._site, found, spoken))
            if form.one("shown") == f"{text.hash}.{shown_to(found)}":
                return spoken, True
        return _spoken(request, found), False

    async def _question(self, request: Request, *, answering: bool = False) -> Question | Response:
        """What is asked of this citizen; or where they have to go first.

        Raises Problem `request_unknown`, `request_expired`, `guardian_needed`, `sign_in_needed`.
        """
        if "mandate" in request.path_params:
            return await behalf.asked_for(self._site, request, answering=answering)
        id, now = request.path_params["interaction"], self._site.now()
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            row = await interactions.find(session, id)
            record = await waiting.record_of(session, id, citizen)
        if row is not None and row.settled_at is not None and citizen is not None:
            await behalf.take_over(self._site, row, record, citizen)
            return _done(f"/consent/{id}")
        async with self._site.database.reading() as session:
            if record and row and waiting.too_late(record, row.answer_by, at=now) and not answering:
                return await self._site.answering.send_back(id, "access_denied", late=True)
            try:
                pending, terms = await question.load(session, id, at=now)
            except Problem as problem:  # answered in another tab since the look above
                if problem.code != "request_answered" or citizen is None:
                    raise
                return _done(f"/consent/{id}")
            standing, named = None, pending.managed.changes
            if named and citizen is not None:
                standing = await again.standing_of(session, pending, citizen.subject, at=now)
            before = await recognition.of_consent(session, standing.id) if standing else None
            known = await repository_members.links(session, SubjectId(citizen.subject)) if citizen else {}
        elsewhere = await elsewhere_first(self._site, pending, citizen, answering=answering)
        if elsewhere is not None or citizen is None:
            return elsewhere or sign_in_first(f"/consent/{id}")
        if named and standing is None:
            return await again.not_theirs(self._site, pending, citizen.id_hash)
        if not set(terms.holders) <= known.keys() | citizen.unavailable.keys():
            return sign_in_first(f"/consent/{id}")
        behalf.refuse_youth(self._site, citizen, terms)
        withheld = await self._site.precheck(terms, pending.client.id) if self._site.precheck else {}
        found = Question(pending, clients.info(pending.client), terms, citizen, withheld, standing)
        asked, away = account_lists.asked_by(pending, citizen.subject), citizen.unavailable
        offers = await account_lists.offered(self._site, asked, found.choosable, away, ask=not answering)
        return replace(found, known=before, record=record, offers=offers)


@asynccontextmanager
async def _first_answer_stands() -> AsyncIterator[None]:
    """A second answer that lost the race changes nothing; the citizen is shown the first.

    Nor does an answer to a consent that has moved on meanwhile: the citizen is shown the question anew.
    """
    try:
        yield
    except (MoveError, Problem) as error:
        if error.code not in {"request_answered", "consent_request_answered", "consent_moved_on"}:
            raise


def _spoken(request: Request, found: Question) -> Language:
    return language.of_request(request, found.pending.ui_locales or "")


def _done(place: str) -> Response:
    return RedirectResponse(f"{place}/done", 303)
