"""/oversight: what a scoped account (regulator, operator) sees of past decisions in a browser. No citizen."""

from __future__ import annotations

from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from consent.calendar import korean_day
from consent.clock import Clock
from gateway.errors import Problem
from gateway.ledger.readers import Reader, Scope, allowed
from gateway.policy.memory import WEEKS, Memory
from gateway.policy.record import Wanted
from gateway.web import language, oversight_query, paging
from gateway.web.error_page import Endpoint, speaking
from gateway.web.forms import read_form
from gateway.web.oversight_view import line_view, replay_view, week_view
from gateway.web.reader_sessions import ReaderSessions
from gateway.web.rendering import Renderer

SHOWN_WEEKS = 26
"""How many finished weeks the page offers as the first one to try."""


class Oversight:
    """The endpoints. Every look goes through `memory`, which enters it into the ledger first."""

    def __init__(self, renderer: Renderer, memory: Memory, sessions: ReaderSessions, clock: Clock) -> None:
        """Draw with `renderer` for the accounts of `sessions`."""
        self._renderer, self._memory, self._sessions, self._clock = renderer, memory, sessions, clock

    async def begin(self, request: Request) -> Response:
        """GET /oversight: the form for the account's token; on to the decisions when signed in."""
        if (reader := self._sessions.find(request)) is not None:
            return _on(reader)
        return self._renderer.page("oversight_sign_in", language.of_request(request), refused=False)

    async def sign_in(self, request: Request) -> Response:
        """POST /oversight: sign in with the token."""
        form = await read_form(request, single=("token",), required=("token",))
        answer = RedirectResponse("/oversight", 303)
        try:
            self._sessions.put(answer, form.one("token"))
        except Problem:
            spoken = language.of_request(request)
            return self._renderer.page("oversight_sign_in", spoken, status=401, refused=True)
        return answer

    async def sign_out(self, _request: Request) -> Response:
        """POST /oversight/sign-out: end the session of this browser."""
        answer = RedirectResponse("/oversight", 303)
        self._sessions.take_back(answer)
        return answer

    async def decisions(self, request: Request) -> Response:
        """GET /oversight/decisions: past decisions, newest first, a page at a time."""
        if (reader := self._reader(request, "decisions")) is None:
            return RedirectResponse("/oversight", 303)
        spoken, asked = language.of_request(request), oversight_query.decisions(request)
        wanted = Wanted(allow=asked.allow)
        lines, after = await self._memory.decisions(reader.id, wanted, before=asked.before, limit=paging.PAGE)
        return self._renderer.page(
            "oversight_decisions",
            spoken,
            reader=reader,
            rows=tuple(line_view(line, spoken) for line in lines),
            answer=asked.answer,
            older=oversight_query.older(asked, after) if after else None,
            newest=oversight_query.older(asked, None) if asked.before else None,
        )

    async def one(self, request: Request) -> Response:
        """GET /oversight/decisions/{decision}: one decision, made again now."""
        if (reader := self._reader(request, "decisions")) is None:
            return RedirectResponse("/oversight", 303)
        spoken = language.of_request(request)
        again = await self._memory.again(reader.id, oversight_query.decision_id(request))
        return self._renderer.page("oversight_replay", spoken, reader=reader, view=replay_view(again, spoken))

    async def what_if(self, request: Request) -> Response:
        """GET /oversight/what-if: choose a kept policy and past weeks; what it would have decided."""
        if (reader := self._reader(request, "what-if")) is None:
            return RedirectResponse("/oversight", 303)
        spoken, asked = language.of_request(request), oversight_query.what_if(request)
        weeks = None
        if asked is not None:
            weeks = await self._memory.what_if(reader.id, asked.candidate, asked.first, asked.weeks)
        return self._renderer.page(
            "oversight_what_if",
            spoken,
            reader=reader,
            policies=await self._memory.policies(),
            firsts=self._firsts(),
            most=WEEKS,
            asked=asked,
            weeks=None if weeks is None else tuple(week_view(week, spoken) for week in weeks),
        )

    def _reader(self, request: Request, scope: Scope) -> Reader | None:
        reader = self._sessions.find(request)
        return None if reader is None else allowed(reader, scope)

    def _firsts(self) -> tuple[date, ...]:
        today = korean_day(self._clock())
        latest = today - timedelta(days=(today.weekday() + 1) % 7 + 7)
        return tuple(latest - timedelta(days=7 * number) for number in range(SHOWN_WEEKS))


def routes(oversight: Oversight, renderer: Renderer, *, secure: bool) -> list[Route]:
    """The pages and their addresses."""
    pages: list[tuple[str, str, Endpoint]] = [
        ("GET", "/oversight", oversight.begin),
        ("POST", "/oversight", oversight.sign_in),
        ("POST", "/oversight/sign-out", oversight.sign_out),
        ("GET", "/oversight/decisions", oversight.decisions),
        ("GET", "/oversight/decisions/{decision}", oversight.one),
        ("GET", "/oversight/what-if", oversight.what_if),
    ]
    return [
        Route(path, speaking(renderer, endpoint, secure=secure), methods=[method])
        for method, path, endpoint in pages
    ]


def _on(reader: Reader) -> Response:
    if "decisions" in reader.may:
        return RedirectResponse("/oversight/decisions", 303)
    allowed(reader, "what-if")
    return RedirectResponse("/oversight/what-if", 303)
