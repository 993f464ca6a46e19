"""/my/consents/{id}/narrow: the citizen takes items or fields back, sees what changes, and confirms once.

Nothing can be added here and what the service needs has no box: who wants that gone withdraws. The answer
counts only for the version and the text that were shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import service
from consent.accounts import Offer
from consent.calendar import korean_day
from consent.choices import restrict
from consent.errors import ChoiceError
from consent.items import Terms, to_details
from consent.mandates import Power
from consent.records import State
from consent.subjects import SubjectId
from consent.text import Wording, blocks, build
from consent.tightening import Less, tighten
from gateway.errors import Language, Problem
from gateway.oauth.grants import follow_consent
from gateway.web import account_lists, language, narrow_view, phrases, row_choices
from gateway.web.consent_view import party
from gateway.web.forms import Form, read_form
from gateway.web.my_consents import Kept, own
from gateway.web.narrow_rows import RowChoices, carried, labels_of
from gateway.web.narrow_view import ChangesView, Keep, NarrowView
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.views import TextBlock
from gateway.web.words import LANGUAGES, words

_STANDS = (State.ACTIVE, State.PAUSED)
"""Taking back is never blocked while a consent stands: what is paused becomes smaller and stays paused."""


@dataclass(frozen=True)
class Cut:
    """What the form leaves: the fields that stay by item, and what is smaller inside them."""

    keep: Keep
    less: Less


class Narrow:
    """The endpoints of narrowing."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET: everything that is sent now, ticked. A consent not in force is shown as it stands."""
        place = f"/my/consents/{request.path_params['consent']}"
        kept = await self._own(request)
        if kept is None:
            return sign_in_first(f"{place}/narrow")
        if kept.consent.standing(self._site.now()) not in _STANDS:
            return RedirectResponse(place, 303)
        kept = await self._listed(kept, ask=True)
        now = Cut(narrow_view.everything(kept.consent.terms), Less())
        return self._page(kept, now, language.of_request(request))

    async def answer(self, request: Request) -> Response:
        """POST: what would change; or, confirmed, the change.

        Raises Problem `sign_in_needed`, `consent_not_found`, `consent_moved_on`, `form_invalid`.
        """
        form = await read_form(
            request,
            single=("decision", "version", "shown", *row_choices.SINGLE),
            repeated=("item", "field", *row_choices.REPEATED),
            required=("decision", "version"),
        )
        kept, spoken = await self._own(request), language.of_request(request)
        if kept is None:
            raise Problem("sign_in_needed")
        if kept.consent.standing(self._site.now()) not in _STANDS:
            return RedirectResponse(f"/my/consents/{kept.consent.id}", 303)
        if form.one("version") != str(kept.consent.version):
            raise Problem("consent_moved_on")
        keep = narrow_view.read_kept(form, kept.consent.terms, self._site)
        if keep is None or form.one("decision") not in ("look", "back", "narrow"):
            raise Problem("form_invalid", detail="a box or a decision that was not on the page")
        rows = self._rows(kept := await self._listed(kept, ask=False))
        cut = Cut(keep, rows.read(form, keep))
        if form.one("decision") == "back":
            return self._page(kept, cut, spoken)
        terms = "all_or_some" if rows.unclear(form, keep) else _cut(kept.consent.terms, cut)
        if isinstance(terms, str):
            return self._page(kept, cut, spoken, error=terms)
        return await self._decided(kept, (cut, terms), form, spoken)

    async def done(self, request: Request) -> Response:
        """GET /my/consents/{id}/narrowed: what is still sent, with the reference."""
        place = f"/my/consents/{request.path_params['consent']}"
        kept, spoken = await self._own(request), language.of_request(request)
        if kept is None:
            return sign_in_first(place)
        return self._site.renderer.page(
            "narrowed",
            spoken,
            signed_in=True,
            who=party(kept.client, spoken),
            reference=kept.consent.id,
            when=phrases.moment(kept.consent.changed_at, spoken),
            stays=narrow_view.lines_staying(self._rows(kept), kept.consent.terms, spoken),
            receipt=f"{place}/receipt" if self._site.receipt else None,
            place=place,
            paused=kept.consent.state is State.PAUSED,
        )

    async def _decided(self, kept: Kept, done: tuple[Cut, Terms], form: Form, spoken: Language) -> Response:
        cut, terms = done
        for seen in LANGUAGES:
            shown = build(terms, _wording(self._site, kept, seen))
            if form.one("decision") == "narrow" and form.one("shown") == shown.hash:
                await self._store(kept, terms, seen)
                return RedirectResponse(f"/my/consents/{kept.consent.id}/narrowed", 303)
        return self._changes(kept, cut, (terms, form), spoken)

    async def _store(self, kept: Kept, terms: Terms, seen: Language) -> None:
        """The next version, its ledger entry, the grant that follows it, and all that hangs on both."""
        site, before, now = self._site, kept.consent, self._site.now()
        text = build(terms, _wording(site, kept, seen))
        async with site.database.transaction() as session:
            after = await service.narrow(
                session,
                site.journal,
                before.id,
                subject=SubjectId(before.subject),
                version=before.version,
                terms=terms,
                text=text,
                at=now,
                acting=kept.acting,
            )
            chosen = (SubjectId(before.subject), terms, kept.offers)
            await account_lists.keep_chosen(session, site, *chosen, at=now)
            await account_lists.taken(session, before, at=now)
            await follow_consent(session, after.id, after.version, to_details(after.terms), at=now)
            if site.after_change is not None:
                await site.after_change(session, before, after)

    def _page(self, kept: Kept, cut: Cut, spoken: Language, *, error: str | None = None) -> Response:
        place, rows = f"/my/consents/{kept.consent.id}", self._rows(kept)
        view = NarrowView(
            who=party(kept.client, spoken),
            version=kept.consent.version,
            items=narrow_view.narrow_items(rows, cut.keep, cut.less, spoken),
            withdraw=f"{place}/withdraw",
            back=place,
            error=words(spoken)(f"narrow.{error}") if error else None,
            cycles=rows.cycles(cut.less, spoken),
            ends=rows.ends(cut.less, spoken),
            paused=kept.consent.state is State.PAUSED,
        )
        status = 422 if error else 200
        return self._site.renderer.page("narrow", spoken, signed_in=True, status=status, view=view)

    def _changes(self, kept: Kept, cut: Cut, after: tuple[Terms, Form], spoken: Language) -> Response:
        words_of, before = _wording(self._site, kept, spoken), kept.consent.terms
        (terms, form), rows = after, self._rows(kept)
        view = ChangesView(
            who=party(kept.client, spoken),
            version=kept.consent.version,
            shown=build(terms, words_of).hash,
            kept=(*narrow_view.hidden(self._site, before, cut.keep), *carried(form)),
            goes=(
                *narrow_view.lines_going(self._site, before, cut.keep, spoken),
                *rows.going(terms, spoken),
            ),
            stays=narrow_view.lines_staying(rows, terms, spoken),
            text=tuple(TextBlock(block.heading, block.lines) for block in blocks(terms, words_of)),
            back=f"/my/consents/{kept.consent.id}",
            paused=kept.consent.state is State.PAUSED,
        )
        return self._site.renderer.page("narrow_changes", spoken, signed_in=True, view=view)

    async def _own(self, request: Request) -> Kept | None:
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            under = (self._site, Power.WITHDRAW)
            id = request.path_params["consent"]
            if citizen is None:
                return None
            kept = await own(session, citizen, id, under=under)
            labels = await labels_of(session, self._site, SubjectId(kept.consent.subject))
            return replace(kept, labels=labels)

    async def _listed(self, kept: Kept, *, ask: bool) -> Kept:
        """With the accounts that could be chosen; `ask`: of the holders, where they are not known.

        A page that comes back may have been opened in the hour before: what was listed then holds, too.
        """
        site, consent, now, offers = self._site, kept.consent, self._site.now(), dict[str, Offer]()
        for asked in (now,) if ask else (now - account_lists.HOUR, now):
            question = account_lists.taken_back(consent, asked)
            found = await account_lists.offered(site, question, consent.terms, (), ask=ask)
            offers |= {name: one for name, one in found.items() if one.open or name not in offers}
        return replace(kept, offers=offers)

    def _rows(self, kept: Kept) -> RowChoices:
        today = korean_day(self._site.clock())
        return RowChoices(self._site, kept.consent.terms, today, kept.labels, kept.offers)


def _wording(site: Site, kept: Kept, spoken: Language) -> Wording:
    return Wording(site.catalogue, site.holders, kept.client, spoken, korean_day(site.clock()))


def _cut(terms: Terms, cut: Cut) -> Terms | str:
    """What stays; or what has to be put right before there is a change to show, a key of words."""
    if not any(cut.keep.values()):
        return "nothing_left"
    if any(not fields for fields in cut.keep.values()):
        return "no_part"
    try:
        after = tighten(restrict(terms, cut.keep), cut.less)
    except ChoiceError as error:
        if error.code != "nothing_chosen":
            raise
        return "no_part"
    return "nothing_goes" if after == terms else after
