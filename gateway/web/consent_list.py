"""GET /my/consents: everything a citizen agreed to, by how it stands, in either order; all by plain links."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent import repository_lists
from consent.calendar import korean_day
from consent.renewal import ends_by, running_out
from consent.repository_lists import Show, Sort
from consent.subjects import SubjectId
from gateway.errors import Language
from gateway.web import consent_json, language, paging
from gateway.web.my_consents import card_of, kept_of
from gateway.web.sign_in import sign_in_first
from gateway.web.site import Site
from gateway.web.words import words

PLACE = "/my/consents"
SOON = 20
"""How many that run out are counted at most."""


@dataclass(frozen=True)
class Choice:
    """One way to see the list. `here` is the one that is shown."""

    label: str
    href: str
    here: bool


class ConsentList:
    """The endpoint of the list."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def every(self, request: Request) -> Response:
        """GET /my/consents: all, the newest first, a page at a time; or a part of them, or by their end."""
        spoken, before = language.of_request(request), paging.before(request)
        show, sort = _asked(request)
        as_json = consent_json.wanted(request)
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                return consent_json.signed_out(spoken) if as_json else sign_in_first(PLACE)
            subject, now = SubjectId(citizen.subject), self._site.now()
            mine = await repository_lists.of_citizen(
                session, subject, at=now, show=show, sort=sort, limit=paging.PAGE + 1, before=before
            )
            kept = await kept_of(session, mine[: paging.PAGE])
            today = korean_day(self._site.clock())
            soon = await repository_lists.ending(
                session, subject, after=now, until=ends_by(today), limit=SOON
            )
        address = _address(show, sort)
        if before and not kept and not as_json:
            return RedirectResponse(address, 303)
        last = repository_lists.place_of(kept[-1].consent, sort) if len(mine) > paging.PAGE else None
        if as_json:
            following = self._site.origin + paging.older(address, last) if last else None
            return consent_json.listed(self._site, kept, spoken, following)
        return self._site.renderer.page(
            "my_consents",
            spoken,
            signed_in=True,
            rows=tuple(card_of(self._site, one, spoken) for one in kept),
            shows=tuple(
                Choice(words(spoken)(f"list.{one.value}"), _address(one, sort), one is show) for one in Show
            ),
            sorts=_sorts(show, sort, spoken),
            filtered=show is not Show.ALL,
            soon=len(running_out(soon, today)),
            older=paging.older(address, last) if last else None,
            newest=address if before else None,
        )


def _sorts(show: Show, sort: Sort, spoken: Language) -> tuple[Choice, ...]:
    t = words(spoken)
    return tuple(Choice(t(f"list.{one.value}"), _address(show, one), one is sort) for one in Sort)


def _asked(request: Request) -> tuple[Show, Sort]:
    """What the address asks for; what it does not know is everything, the newest first."""
    show, sort = request.query_params.get("show", ""), request.query_params.get("sort", "")
    return Show(show) if show in set(Show) else Show.ALL, Sort(sort) if sort in set(Sort) else Sort.NEWEST


def _address(show: Show, sort: Sort) -> str:
    asked = [f"show={show.value}"] if show is not Show.ALL else []
    asked += [f"sort={sort.value}"] if sort is not Sort.NEWEST else []
    return f"{PLACE}?{'&'.join(asked)}" if asked else PLACE
