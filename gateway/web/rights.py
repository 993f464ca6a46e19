"""/my/rights: a citizen asks for their own data (본인전송요구), sees what came of it, and takes it."""

from __future__ import annotations

import re
import secrets

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import repository_members
from consent import rights_repository as repository
from consent import rights_service as service
from consent.exclusions import asked_item
from consent.rights import HELD, AskedItem, SelfRequest
from consent.subjects import SubjectId
from gateway.errors import Problem
from gateway.security.sessions import CitizenSession
from gateway.transfers.own.ask import OwnAsk
from gateway.transfers.own.collected import Collected
from gateway.web import language, paging
from gateway.web.forms import Form, read_form
from gateway.web.own_file import OwnFile
from gateway.web.rights_view import card, offered, view
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site

HERE = "/my/rights"
AFTER_FETCH_SECONDS = 600
"""A file that was taken stays ten minutes more, in case the answer was lost on the way."""
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)


class Rights:
    """The endpoints of the citizen's own requests."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def every(self, request: Request) -> Response:
        """GET /my/rights: what was asked, newest first, and the form to ask for more."""
        spoken, before = language.of_request(request), paging.before(request)
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                return sign_in_first(HERE)
            subject = SubjectId(citizen.subject)
            found = await repository.of_subject(session, subject, limit=paging.PAGE + 1, before=before)
            linked = await repository_members.links(session, subject)
        last = found[paging.PAGE - 1] if len(found) > paging.PAGE else None
        return self._site.renderer.page(
            "rights",
            spoken,
            signed_in=True,
            rows=tuple(card(self._site, one, spoken) for one in found[: paging.PAGE]),
            holders=offered(self._site, sorted(linked), spoken),
            key=secrets.token_urlsafe(24),
            older=paging.older(HERE, (last.asked_at, last.id)) if last else None,
            newest=HERE if before else None,
        )

    async def ask(self, request: Request) -> Response:
        """POST /my/rights: ask. The form's key makes pressing twice, or in two tabs, one request."""
        form = await read_form(request, single=("key",), repeated=("item",), required=("key",))
        if not _KEY.fullmatch(form.one("key")):
            raise Problem("form_invalid", detail="the key is not ours")
        if self._site.own is None:
            raise Problem("not_found")
        async with self._site.database.reading() as session:
            citizen = await self._citizen(session, request)
            linked = await repository_members.links(session, SubjectId(citizen.subject))
        items = _chosen(self._site, form, frozenset(linked))
        asked = OwnAsk(SubjectId(citizen.subject), form.one("key"), items, citizen.proof)
        made = await self._site.own.ask(asked)
        return RedirectResponse(f"{HERE}/{made.id}", 303)

    async def one(self, request: Request) -> Response:
        """GET /my/rights/{id}: asked, came, missing and why; the way to the file while it is there."""
        spoken, id = language.of_request(request), request.path_params["right"]
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                return sign_in_first(f"{HERE}/{id}")
            found = await _own(session, citizen, id)
        return self._site.renderer.page("right", spoken, signed_in=True, view=view(self._site, found, spoken))

    async def file(self, request: Request) -> Response:
        """POST /my/rights/{id}/file: the archive, once; it goes soon after. No address can be passed on."""
        await read_form(request, single=())
        spoken, id, now = language.of_request(request), request.path_params["right"], self._site.now()
        async with self._site.database.transaction() as session:
            citizen = await self._citizen(session, request)
            found = await service.own(session, id, SubjectId(citizen.subject))
            _must_be_held(found, now)
            key = await self._site.journal.keys.key(session, found.subject)
            sealed = await repository.sealed_of(session, id)
            kept_until = now + AFTER_FETCH_SECONDS
            taken = await service.fetch(session, self._site.journal, found, now, kept_until=kept_until)
        content = OwnFile(self._site, taken, Collected.open(key, id, sealed), spoken).archive()
        headers = {
            "content-disposition": f'attachment; filename="mydata-{id}.zip"',
            "cache-control": "no-store",
        }
        return Response(content, media_type="application/zip", headers=headers)

    async def cancel(self, request: Request) -> Response:
        """POST /my/rights/{id}/cancel: what is under way stops, the file goes at once. May be repeated."""
        await read_form(request, single=())
        id = request.path_params["right"]
        async with self._site.database.transaction() as session:
            citizen = await self._citizen(session, request)
            subject = SubjectId(citizen.subject)
            await service.cancel(session, self._site.journal, id, subject=subject, at=self._site.now())
        return RedirectResponse(f"{HERE}/{id}", 303)

    async def _citizen(self, session: AsyncSession, request: Request) -> CitizenSession:
        citizen = await self._site.sessions.find(session, request)
        if citizen is None:
            raise Problem("sign_in_needed")
        return citizen


async def _own(session: AsyncSession, citizen: CitizenSession, id: str) -> SelfRequest:
    """The citizen's request; Problem `right_not_found` for another's, just as for one that never was."""
    found = await repository.load(session, id)
    if found is None or found.subject != citizen.subject:
        raise Problem("right_not_found")
    return found


def _must_be_held(request: SelfRequest, now: int) -> None:
    if request.held_until is not None and (request.state not in HELD or now >= request.held_until):
        raise Problem("right_gone")
    if request.state not in HELD:
        raise Problem("right_not_ready")


def _chosen(site: Site, form: Form, linked: frozenset[str]) -> list[AskedItem]:
    """What was ticked; only datasets of the catalogue at holders that know this citizen."""
    items = []
    for name in form.all("item"):
        holder, _, dataset = name.partition("/")
        info, known = site.holders.get(holder), site.catalogue.datasets.get(dataset)
        if info is None or known is None or holder not in linked or known.sector != info.sector:
            raise Problem("right_item_unknown")
        items.append(asked_item(site.catalogue, holder, dataset))
    return items
