"""A hostile identity provider: endless, huge, packed or redirecting answers end in one plain refusal."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.http import open_client
from gateway.web import openid
from gateway.web.identity import Attempt, IdentityError
from gateway.web.openid import OpenIdProvider, RelyingParty
from tests.unit.connectors.holders import serve

WELL_KNOWN = "/.well-known/openid-configuration"


async def _drip(_request: Request) -> Response:
    async def for_ever() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.02)

    return StreamingResponse(for_ever())


async def _huge(_request: Request) -> Response:
    return Response(b" " * 100_000)


async def _packed(_request: Request) -> Response:
    return Response(gzip.compress(b" " * 20_000_000), headers={"content-encoding": "gzip"})


async def _away(_request: Request) -> Response:
    return RedirectResponse("http://169.254.169.254/latest/meta-data/")


@pytest.mark.parametrize("endpoint", [_drip, _huge, _packed, _away])
async def test_an_answer_out_of_bounds_is_no_answer(
    endpoint: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sign-in says that the provider cannot be reached, soon, and holds nothing of what came."""
    monkeypatch.setattr(openid, "_ANSWER_SECONDS", 0.4)
    app = Starlette(routes=[Route(WELL_KNOWN, endpoint)])  # type: ignore[arg-type]
    async with serve(lambda _: app) as origin, open_client() as client:
        party = RelyingParty("us", "https://us.test/return", lambda _claims, _typ: "")
        provider = OpenIdProvider(origin, party, client)
        with pytest.raises(IdentityError) as caught:
            async with asyncio.timeout(3):
                await provider.begin(Attempt("s", "n", "v"), "ko")

    assert caught.value.code == "identity_unavailable"
