"""/my/renewals: every consent that runs out within a month, together, to be renewed one by one or not at all.

Nothing is ticked beforehand and nothing but the last day changes. Each yes counts for the version and the
text that were shown; one that moved meanwhile is left as it is and shown again.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import lasting, repository, repository_lists
from consent.calendar import korean_day
from consent.errors import MoveError
from consent.items import Terms
from consent.records import Move
from consent.renewal import ends_by, renewed
from consent.subjects import SubjectId
from consent.text import ShownText, Wording, blocks, build
from gateway.errors import Language, Problem
from gateway.oauth.lasting import follow
from gateway.web import language, phrases
from gateway.web.consent_view import party
from gateway.web.forms import Form, read_form
from gateway.web.item_names import field_names, item_name
from gateway.web.my_consents import Kept, kept_of, own
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.views import RenewalView, TextBlock
from gateway.web.words import LANGUAGES, words

PLACE = "/my/renewals"
MOST = 20
"""So many are offered at once; the others after these."""


class Renewals:
    """The endpoints of renewal."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET: what runs out within a month, unticked, with the day it would end instead."""
        found = await self._offered(request)
        if found is None:
            return sign_in_first(PLACE)
        return self._page(found, language.of_request(request))

    async def answer(self, request: Request) -> Response:
        """POST: renew what is ticked, each in a transaction of its own.

        Raises Problem `sign_in_needed`, `form_invalid`, `ledger_behind`.
        """
        form = await read_form(
            request, single=("decision",), repeated=("renew", "shown"), required=("decision",)
        )
        if form.one("decision") != "renew":
            raise Problem("form_invalid", detail="an unknown decision")
        found, spoken = await self._offered(request), language.of_request(request)
        if found is None:
            raise Problem("sign_in_needed")
        if not form.all("renew"):
            return self._page(found, spoken, error="renewal.none_chosen", status=422)
        if self._site.may_grant is not None:
            await self._site.may_grant()
        done = [one for one in form.all("renew") if await self._renew(one, found, form)]
        if len(done) < len(form.all("renew")):
            again = await self._offered(request) or []
            return self._page(again, spoken, error="renewal.changed", status=409)
        named = "&".join(f"consent={id}" for id in done)
        return RedirectResponse(f"{PLACE}/done?{named}", 303)

    async def done(self, request: Request) -> Response:
        """GET /my/renewals/done: what was renewed last, and until when."""
        spoken, lines = language.of_request(request), []
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                return sign_in_first(PLACE)
            for id in dict.fromkeys(request.query_params.getlist("consent")[:MOST]):
                kept = await own(session, citizen, id)
                steps = await repository.steps_of(session, kept.consent)
                if any(step.move is Move.RENEW for step in steps):
                    lines.append((self._line(kept, spoken), f"/my/consents/{id}"))
        if not lines:
            return RedirectResponse("/my/consents", 303)
        return self._site.renderer.page("renewed", spoken, signed_in=True, lines=tuple(lines))

    def _line(self, kept: Kept, spoken: Language) -> str:
        end = phrases.day(kept.consent.terms.end, spoken)
        return words(spoken)("renewal.until", who=party(kept.client, spoken).name, end=end)

    async def _offered(self, request: Request) -> list[tuple[Kept, Terms]] | None:
        """The consents that may be renewed now, the soonest to end first; None for nobody signed in.

        None of a child's: below fourteen nobody lets data flow longer alone (PIPA 22-2).
        """
        today = korean_day(self._site.clock())
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                return None
            if citizen.age_band == "child":
                return []
            mine = await repository_lists.ending(
                session,
                SubjectId(citizen.subject),
                after=self._site.now(),
                until=ends_by(today),
                limit=MOST,
            )
            kept = await kept_of(session, mine)
        purposes = self._site.catalogue.purposes
        offered = [
            (one, renewed(one.consent, purposes[one.consent.terms.purpose].max_period, today)) for one in kept
        ]
        return [(one, terms) for one, terms in offered if terms is not None]

    async def _renew(self, id: str, found: list[tuple[Kept, Terms]], form: Form) -> bool:
        """Renew one that is offered, if the text shown for it is still the one it would be renewed under."""
        site = self._site
        kept, terms = next(((one, terms) for one, terms in found if one.consent.id == id), (None, None))
        if kept is None or terms is None or (text := self._seen(kept, terms, form)) is None:
            return False
        before = kept.consent
        try:
            async with site.database.transaction() as session:
                after = await lasting.renew(
                    session,
                    site.journal,
                    id,
                    subject=SubjectId(before.subject),
                    version=before.version,
                    terms=terms,
                    text=text,
                    at=site.now(),
                )
                await follow(session, after)
                if site.after_change is not None:
                    await site.after_change(session, before, after)
        except MoveError:
            return False
        return True

    def _seen(self, kept: Kept, terms: Terms, form: Form) -> ShownText | None:
        """The text whose mark the page sent back; None when another version or another text was shown."""
        for spoken in LANGUAGES:
            text = build(terms, self._wording(kept, spoken))
            if _mark(kept, text) in form.all("shown"):
                return text
        return None

    def _wording(self, kept: Kept, spoken: Language) -> Wording:
        return Wording(
            self._site.catalogue, self._site.holders, kept.client, spoken, korean_day(self._site.clock())
        )

    def _page(
        self,
        found: list[tuple[Kept, Terms]],
        spoken: Language,
        *,
        error: str | None = None,
        status: int = 200,
    ) -> Response:
        said = words(spoken)(error) if error else None
        rows = tuple(self._row(kept, terms, spoken) for kept, terms in found)
        return self._site.renderer.page(
            "renewals", spoken, signed_in=True, status=status, rows=rows, error=said
        )

    def _row(self, kept: Kept, terms: Terms, spoken: Language) -> RenewalView:
        consent, wording = kept.consent, self._wording(kept, spoken)
        return RenewalView(
            id=consent.id,
            shown=_mark(kept, build(terms, wording)),
            who=party(kept.client, spoken),
            purpose=self._site.catalogue.purposes[terms.purpose].name[spoken],
            items=tuple(
                f"{item_name(self._site, item, spoken)}:"
                f" {field_names(self._site, item.dataset, item.fields, spoken)}"
                for item in terms.items
            ),
            until=phrases.day(consent.terms.end, spoken),
            longer=phrases.day(terms.end, spoken),
            text=tuple(TextBlock(block.heading, block.lines) for block in blocks(terms, wording)),
        )


def _mark(kept: Kept, text: ShownText) -> str:
    return f"{kept.consent.id}.{kept.consent.version}.{text.hash}"
