"""One request waiting for one citizen, with everything its page needs to be drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from consent.accounts import Offer
from consent.acting import SELF, Acting
from consent.calendar import korean_day
from consent.catalogue import Catalogue
from consent.choices import Choices, narrow
from consent.errors import ChoiceError
from consent.items import Terms, from_details
from consent.merging import fresh, longer, merged
from consent.parties import ClientInfo
from consent.records import Consent
from consent.service import Asked
from consent.subjects import SubjectId
from consent.text import Wording, blocks, build
from gateway.errors import Language
from gateway.oauth import interactions
from gateway.oauth.granting import MERGE
from gateway.oauth.interactions import Pending
from gateway.oauth.recognition import Recognition
from gateway.security.sessions import CitizenSession
from gateway.web import earlier, recognising
from gateway.web.again_view import before_view
from gateway.web.articles import article
from gateway.web.consent_view import consent_view
from gateway.web.item_view import Asking
from gateway.web.reasons import reason
from gateway.web.site import Site, Withheld
from gateway.web.views import BeforeView


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, by whom, of whom; `withheld` is what the law will not let through.

    `standing` is the consent that is to be added to or replaced, if any; `asked` is what the client pushed.
    """

    pending: Pending
    client: ClientInfo
    asked: Terms
    citizen: CitizenSession
    withheld: Mapping[str, Withheld]
    standing: Consent | None = None
    ticked: frozenset[str] = frozenset()
    """The personal claims the citizen ticked (OpenID Connect)."""
    known: Recognition | None = None
    """How the client recognises the citizen by the consent that stands."""
    offers: Mapping[str, Offer] = field(default_factory=dict)
    """The accounts to choose from, by item name."""
    record: Consent | None = None
    """The request as it is on record for this citizen, once it was shown."""
    acting: Acting = SELF
    """Who answers: the citizen, or somebody under a mandate; `citizen` is then whom it is for."""

    @property
    def place(self) -> str:
        """The address of the page."""
        mine = f"/consent/{self.pending.interaction_id}"
        return mine if self.acting.mandate is None else f"/for/{self.acting.mandate}{mine}"

    @property
    def merging(self) -> bool:
        """Whether what stands already stays and only more is asked for."""
        return self.standing is not None and self.pending.managed.action == MERGE

    @property
    def terms(self) -> Terms:
        """What there is to answer: all that is asked, or what of it is new beside what stands."""
        if self.standing is None or not self.merging:
            return self.asked
        return replace(self.asked, items=fresh(self.asked, self.standing.terms))

    @property
    def choosable(self) -> Terms:
        """What there is to answer without what stands: of that, accounts are not chosen again."""
        known = {item.name for item in self.standing.terms.items} if self.standing else set[str]()
        items = [item for item in self.terms.items if not self.merging or item.name not in known]
        return replace(self.terms, items=tuple(items))

    @property
    def whole(self) -> Terms:
        """Everything the citizen would have agreed to after a full yes: what the kept text says."""
        if self.standing is None or not self.merging:
            return self.asked
        return merged(self.standing.terms, self.asked, self.terms.items)

    @property
    def ever_asked(self) -> Terms:
        """Everything this citizen has then been asked for by this client under one consent."""
        if self.standing is None or not self.merging:
            return self.asked
        before = self.standing.asked
        return merged(before, self.asked, fresh(self.asked, before))

    def agreed(self, choices: Choices, catalogue: Catalogue) -> Terms:
        """What holds after a yes with these choices. Raises ChoiceError as `consent.choices.narrow` does."""
        if self.standing is None or not self.merging:
            return narrow(self.asked, choices, catalogue=catalogue)
        try:
            chosen = narrow(self.terms, choices, catalogue=catalogue).items
        except ChoiceError as error:
            if error.code != "nothing_chosen" or not longer(self.asked, self.standing.terms):
                raise
            chosen = ()
        return merged(self.standing.terms, self.asked, chosen)


@dataclass(frozen=True, slots=True)
class Shown:
    """How the page is drawn this time: language, what is ticked, what is wrong with it."""

    language: Language
    choices: Choices
    wrong: Mapping[str, str]
    notice: str | None = None
    failure: str | None = None


async def load(session: AsyncSession, interaction_id: str, *, at: int) -> tuple[Pending, Terms]:
    """The pending request and its terms. Raises Problem as `interactions.load` does."""
    pending = await interactions.load(session, interaction_id, at=at)
    return pending, from_details(pending.details)


def wording(site: Site, question: Question, language: Language) -> Wording:
    """What the text of a consent is made from."""
    also, today = recognising.block(question.pending, language), korean_day(site.clock())
    return Wording(site.catalogue, site.holders, question.client, language, today, also)


def consent_page(site: Site, question: Question, shown: Shown, *, status: int = 200) -> Response:
    """The page of `question`, drawn as `shown`."""
    words_of = wording(site, question, shown.language)
    asking = Asking(
        language=shown.language,
        catalogue=site.catalogue,
        holders=site.holders,
        choices=shown.choices,
        unavailable={
            holder: code
            for holder, code in question.citizen.unavailable.items()
            if holder in question.whole.holders
        },
        withheld={name: _by_law(found, shown.language) for name, found in question.withheld.items()},
        wrong=shown.wrong,
        offers=question.offers,
        may_end=not question.merging,
        changed=earlier.changes(site, question, shown.language),
    )
    view = consent_view(
        question.terms,
        question.client,
        asking,
        interaction=question.pending.interaction_id,
        text=tuple(blocks(question.whole, words_of)),
        shown=f"{build(question.whole, words_of).hash}.{shown_to(question)}",
        before=_before(site, question, shown.language),
        recognise=recognising.view(question.pending, shown.language, question.ticked),
        answer_by=question.pending.answer_by,
        notice=shown.notice,
        failure=shown.failure,
    )
    view = replace(view, place=question.place, later=question.standing is None and question.acting is SELF)
    view = replace(view, youth=question.citizen.age_band == "youth")
    page: Response = site.renderer.page("consent", shown.language, status=status, signed_in=True, view=view)
    return page


def _before(site: Site, question: Question, language: Language) -> BeforeView | None:
    if question.standing is None:
        return None
    begun = earlier.chosen_before(question, site.catalogue)
    ticked = bool(begun.items or begun.less.accounts or begun.every)
    return before_view(site, question.standing, question, language, ticked=ticked)


def asked_of(site: Site, question: Question, language: Language) -> Asked:
    """The question as it goes on record: of whom, by whom, everything asked and the text in `language`."""
    return Asked(
        subject=SubjectId(question.citizen.subject),
        client_id=question.client.id,
        request_id=question.pending.interaction_id,
        terms=question.ever_asked,
        text=build(question.whole, wording(site, question, language)),
        acting=question.acting,
        verification=question.citizen.proof,
    )


def shown_to(question: Question) -> str:
    """Names citizen and request on the page, so that a page left open is not answered by who comes next."""
    return shown_to_citizen(question.citizen, question.pending.interaction_id)


def shown_to_citizen(citizen: CitizenSession, interaction_id: str) -> str:
    """The same, of the citizen who is signed in."""
    named = f"{citizen.subject}\0{interaction_id}"
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def _by_law(found: Withheld, language: Language) -> str:
    said = reason(found.reason, language)
    return f"{said} ({article(found.article, language)})" if found.article else said
