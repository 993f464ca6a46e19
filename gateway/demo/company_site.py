"""The service company's own little site, for `SERVE=1`: asks, comes back, shows what it received.

Two pages in a process the demo serves itself. A citizen in a real browser starts here, as they would start at
a real service.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import escape
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from gateway.bundles.open import open_bundle
from gateway.demo.company import Company, CompanyError

STYLE = (
    "body{font:1.05rem/1.6 system-ui,sans-serif;max-width:40rem;margin:0 auto;padding:1rem}"
    "a.b{display:block;background:#0b50d0;color:#fff;text-align:center;padding:1rem;border-radius:.5rem}"
    "pre{overflow-x:auto;background:#f4f5f6;padding:1rem}"
)


class CompanySite:
    """The pages. `fresh` gives a company that has not asked for anything yet; `details` is what it asks."""

    def __init__(self, fresh: Callable[[], Company], details: list[dict[str, Any]], consents: str) -> None:
        """Ask for `details`; `consents` is where citizens see their consents."""
        self._fresh, self._details, self._consents = fresh, details, consents
        self._asked: dict[str, Company] = {}

    def app(self) -> Starlette:
        """The site."""
        return Starlette(
            routes=[
                Route("/", self._home, methods=["GET"]),
                Route("/start", self._start, methods=["GET"]),
                Route("/callback", self._back, methods=["GET"]),
            ]
        )

    async def _home(self, _request: Request) -> Response:
        body = (
            "<h1>든든가계부</h1><p>체험용 서비스예요. 아래 단추를 누르면 마이데이터 게이트웨이로 가요."
            "<br>A made-up service. The button takes you to the gateway.</p>"
            '<p><a class=b href="/start">내 정보 연결하기 · Connect my data</a></p>'
            f'<p><a href="{escape(self._consents)}">내 동의 보기 · My consents</a></p>'
        )
        return _page(body)

    async def _start(self, _request: Request) -> Response:
        company = self._fresh()
        await company.discover()
        address = await company.push(self._details)
        self._asked = {**dict(list(self._asked.items())[-50:]), company.state: company}
        return RedirectResponse(address, 303)

    async def _back(self, request: Request) -> Response:
        answer = dict(request.query_params)
        company = self._asked.pop(answer.get("state", ""), None)
        if company is None:
            return _page("<h1>처음부터 다시 해 주세요</h1><p>Please start again.</p>", 400)
        try:
            await company.exchange(answer)
            manifest = await _received(company)
        except PermissionError:
            return _page("<h1>동의하지 않으셨어요</h1><p>아무것도 받지 않았어요. · Nothing was received.</p>")
        except CompanyError as error:
            return _page(f"<h1>받지 못했어요</h1><p>{escape(str(error))}</p>", 502)
        table = escape("\n".join(_lines(manifest)))
        return _page(f"<h1>받은 정보 · What was received</h1><pre>{table}</pre>")


async def _received(company: Company) -> dict[str, Any]:
    """Ask for a transfer, wait for it, open it; the manifest of what came."""
    status = await company.ask_transfer()
    while status["state"] not in {"ready", "failed", "cancelled"}:
        await asyncio.sleep(0.2)
        status = await company.transfer(status["id"])
    if status["state"] != "ready":
        raise PermissionError(status["reason"])
    sealed = await company.download(status["bundle"].rsplit("/", 1)[1])
    jwks = (await company.http.get(company.metadata["jwks_uri"])).json()
    opened = open_bundle(sealed, company.keys.sealing_private(), jwks, issuer=company.issuer)
    manifest: dict[str, Any] = opened.manifest
    return manifest


def _lines(manifest: dict[str, Any]) -> list[str]:
    """What came, what did not, and why: one line an item."""
    lines = []
    for scope in manifest["scope"]:
        why = sorted({one["reason"] for one in scope["withheld"]})
        lines.append(f"{len(scope['sent'])}/{len(scope['asked'])}  {scope['item']}  {', '.join(why)}")
    return lines


def _page(body: str, status: int = 200) -> Response:
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><style>{STYLE}</style>"
    return HTMLResponse(f"<!doctype html><html lang=ko><title>든든가계부</title>{head}{body}", status)


@asynccontextmanager
async def serving(app: Starlette, port: int) -> AsyncIterator[None]:
    """Serve `app` on 127.0.0.1:`port` inside this process."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    try:
        yield
    finally:
        server.should_exit = True
        await task
