"""No other site may act through a citizen's browser."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.errors import Problem
from gateway.security.cross_origin import CrossOrigin

OURS = "https://gateway.test"


async def reached(_request: Request) -> Response:
    """A door."""
    return PlainTextResponse("reached")


async def refuse(_request: Request, problem: Problem) -> Response:
    """What the application answers a refusal with."""
    return PlainTextResponse(problem.code, problem.status)


async def answer(method: str, headers: dict[str, str], path: str = "/consent/x") -> int:
    """The status of one request with these headers."""
    routes = [Route(place, reached, methods=["GET", "POST", "DELETE"]) for place in ("/consent/x", "/token")]
    guard = Middleware(CrossOrigin, origin=OURS, refuse=refuse, open_paths=frozenset({"/token"}))
    app = Starlette(routes=routes, middleware=[guard])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=OURS) as http:
        return (await http.request(method, path, headers=headers)).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": OURS},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {},
    ],
)
async def test_our_own_pages_and_plain_programs_pass(headers: dict[str, str]) -> None:
    """The browser's word comes first; without it the origin; without both it is no browser."""
    assert await answer("POST", headers) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": OURS},
        {"sec-fetch-site": ""},
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "http://gateway.test"},
        {"origin": "https://gateway.test:8443"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_other_sites_are_refused(headers: dict[str, str], method: str) -> None:
    """A request that another site, subdomain, port or scheme started never reaches a door."""
    assert await answer(method, headers) == 403


async def test_reading_and_open_doors_are_not_guarded() -> None:
    """A link from another site may be followed; a door without cookies may be called from anywhere."""
    assert await answer("GET", {"sec-fetch-site": "cross-site"}) == 200
    assert await answer("POST", {"sec-fetch-site": "cross-site"}, "/token") == 200
