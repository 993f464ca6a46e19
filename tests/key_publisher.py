"""A company's https server that publishes its key set, well or badly, and counts who asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.authority import Authority
from tests.serving import listening, port_of, serving


@dataclass
class Publisher:
    """What is published at `uri`; every member may be changed while it is served."""

    origin: str
    document: Any = None
    status: int = 200
    media_type: str = "application/jwk-set+json"
    headers: dict[str, str] = field(default_factory=dict)
    drips: bool = False
    redirect: bool = False
    asked: int = 0

    @property
    def uri(self) -> str:
        """Where the set is."""
        return f"{self.origin}/jwks.json"

    async def answer(self, _request: Request) -> Response:
        """The set as it is told to be."""
        self.asked += 1
        if self.redirect:
            return RedirectResponse(f"{self.origin}/elsewhere.json", 302)
        if self.drips:
            return StreamingResponse(_drops(), media_type=self.media_type)
        body = self.document if isinstance(self.document, bytes) else json.dumps(self.document).encode()
        return Response(body, self.status, self.headers, media_type=self.media_type)

    async def elsewhere(self, _request: Request) -> Response:
        """A good set behind a redirect, which nobody should follow."""
        return Response(json.dumps(self.document), media_type=self.media_type)


async def _drops() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(0.05)


@asynccontextmanager
async def publishing(authority: Authority, document: Any = None) -> AsyncIterator[Publisher]:
    """A publisher on a free port, over https with the run's authority."""
    bound = listening()
    made = Publisher(f"https://localhost:{port_of(bound)}", document)
    routes = [Route("/jwks.json", made.answer), Route("/elsewhere.json", made.elsewhere)]
    async with serving(Starlette(routes=routes), [bound], authority):
        yield made
