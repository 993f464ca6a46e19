"""The header set of every answer."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from gateway.security.headers import IMMUTABLE, SecurityHeaders


async def page(_request: Request) -> Response:
    """A page."""
    return HTMLResponse("<p>안녕하세요</p>")


async def data(_request: Request) -> Response:
    """No page."""
    return JSONResponse({})


async def cached(_request: Request) -> Response:
    """An answer with headers of its own."""
    return Response(
        b"", headers={"cache-control": IMMUTABLE, "content-security-policy": "default-src 'self'"}
    )


def client(*, secure: bool) -> httpx.AsyncClient:
    """A client of an application behind the middleware."""
    routes = [Route("/page", page), Route("/data", data), Route("/cached", cached)]
    app = Starlette(routes=routes, middleware=[Middleware(SecurityHeaders, secure=secure)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://gateway.test")


async def test_a_page_gets_the_strict_policy() -> None:
    """Scripts and styles only from our own files, no frames, Trusted Types, nothing kept in caches."""
    async with client(secure=True) as http:
        headers = (await http.get("/page")).headers
    policy = {
        part.split(" ", 1)[0]: part.split(" ", 1)[1]
        for part in headers["content-security-policy"].split("; ")
    }
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["trusted-types"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["strict-transport-security"].startswith("max-age=")


async def test_data_may_load_nothing() -> None:
    """An answer that is no page gets a policy that allows nothing at all."""
    async with client(secure=True) as http:
        headers = (await http.get("/data")).headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


async def test_a_door_may_say_otherwise() -> None:
    """What the answer set itself stays."""
    async with client(secure=True) as http:
        headers = (await http.get("/cached")).headers
    assert headers["cache-control"] == IMMUTABLE
    assert headers["content-security-policy"] == "default-src 'self'"


@pytest.mark.parametrize("path", ["/page", "/nowhere"])
async def test_plain_http_promises_no_https(path: str) -> None:
    """On the demo's plain localhost there is no HSTS; an unknown address carries the other headers too."""
    async with client(secure=False) as http:
        headers = (await http.get(path)).headers
    assert "strict-transport-security" not in headers
    assert headers["cache-control"] == "no-store"
