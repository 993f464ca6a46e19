"""GET /my/notices, POST /my/notices/read: what a citizen was told, newest first; reading is a press."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import notices
from consent.notices import Notice, NoticeKind
from consent.subjects import SubjectId
from gateway.errors import Language, Problem
from gateway.web import language, paging, phrases
from gateway.web.forms import read_form
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.words import words

HERE = "/my/notices"
_RIGHTS = frozenset(kind for kind in NoticeKind if kind.value.startswith("right_"))
_PLACES = {
    NoticeKind.YEARLY: "/my/rights",
    NoticeKind.RENEWAL: "/my/renewals",
    NoticeKind.MANDATE_ENDED: "/my/delegates",
    NoticeKind.CAME_OF_AGE: "/my/consents",
    NoticeKind.GATEWAY_ENDS: "/my/export",
}
"""Where a notice leads when not to the thing it is about."""


@dataclass(frozen=True)
class NoticeView:
    """One notice: when, what in words, where to look, and whether it is new."""

    when: str
    title: str
    about: str
    href: str
    unread: bool


def place(notice: Notice) -> str:
    """The page that shows what a notice is about."""
    if fixed := _PLACES.get(notice.kind):
        return fixed
    return f"/my/rights/{notice.thing}" if notice.kind in _RIGHTS else f"/my/consents/{notice.thing}"


class NoticesPage:
    """The endpoints of the citizen's inbox."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET: a page of notices. Looking changes nothing."""
        spoken, before = language.of_request(request), paging.before(request)
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                return sign_in_first(HERE)
            subject = SubjectId(citizen.subject)
            found = await notices.of_subject(session, subject, limit=paging.PAGE + 1, before=before)
            unread = await notices.unread(session, subject)
        shown = found[: paging.PAGE]
        last = shown[-1] if len(found) > paging.PAGE else None
        return self._site.renderer.page(
            "notices",
            spoken,
            signed_in=True,
            rows=tuple(_view(one, spoken) for one in shown),
            unread=unread,
            until=shown[0].at if shown else 0,
            older=paging.older(HERE, (last.at, last.id)) if last else None,
            newest=HERE if before else None,
        )

    async def read(self, request: Request) -> Response:
        """POST /my/notices/read: everything up to `until` is read. Repeating it changes nothing."""
        form = await read_form(request, single=("until",), required=("until",))
        until = form.one("until")
        if not (until.isascii() and until.isdigit() and len(until) <= 12):
            raise Problem("form_invalid", detail="until is no moment")
        async with self._site.database.transaction() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                raise Problem("sign_in_needed")
            await notices.read(session, SubjectId(citizen.subject), until=int(until), at=self._site.now())
        return RedirectResponse(HERE, 303)


def _view(notice: Notice, spoken: Language) -> NoticeView:
    t = words(spoken)
    return NoticeView(
        when=phrases.moment(notice.at, spoken),
        title=t(f"notice.{notice.kind.value}.title"),
        about=t(f"notice.{notice.kind.value}.about", day=notice.thing),
        href=place(notice),
        unread=notice.read_at is None,
    )
