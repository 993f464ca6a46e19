"""Hostile holders: behaviours seen at real ones, switched on in process.

Reported in the wild: a `next` that is the page itself, or points elsewhere, or an empty 200 (the public
issue list of openbankingspace/tpp-issues, nos. 122, 157, 174, 115); 429 and 503 with Retry-After; HTML
maintenance pages under 200; bodies cut short; answers that never end.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ELSEWHERE = "http://169.254.169.254/latest/meta-data/"


class Fault(StrEnum):
    """What a holder can do wrong."""

    DOWN = "down"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    REDIRECT = "redirect"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    CUT = "cut"
    EMPTY = "empty"
    HTML = "html"
    HUGE = "huge"
    FOREIGN_NEXT = "foreign_next"
    SELF_NEXT = "self_next"
    OVER_QUOTA = "over_quota"
    ANOTHERS_ANSWER = "anothers_answer"
    SLOW = "slow"


@dataclass(slots=True)
class Active:
    """A fault that is on: where (a path prefix), how often still, after how many good answers."""

    fault: Fault
    path: str = "/"
    times: int | None = None
    after: int = 0
    retry_after: str | None = None
    seconds: float = 0.0
    off: asyncio.Event = field(default_factory=asyncio.Event)

    async def linger(self) -> None:
        """Wait `seconds`, at most until it is switched off."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.seconds):
                await self.off.wait()


@dataclass(slots=True)
class Faults:
    """The switchboard of one holder. `requests` lists the path of every request that arrived."""

    active: list[Active] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def add(self, fault: Fault, **how: object) -> None:
        """Switch a fault on; `how` as the fields of Active."""
        self.active.append(Active(fault, **how))  # type: ignore[arg-type]

    def clear(self) -> None:
        """Switch everything off."""
        for active in self.active:
            active.off.set()
        self.active.clear()

    def due(self, path: str) -> Active | None:
        """The fault this request meets, counted down."""
        self.requests.append(path)
        for active in self.active:
            if not path.startswith(active.path) or active.times == 0:
                continue
            if active.after > 0:
                active.after -= 1
                continue
            if active.times is not None:
                active.times -= 1
            return active
        return None


class FaultyDoor:
    """ASGI middleware that lets `faults` spoil what the holder answers."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI asks."""
        active = self._faults.due(scope["path"]) if scope["type"] == "http" else None
        if active is None:
            await self._app(scope, receive, send)
            return
        if active.fault is Fault.SLOW:
            await active.linger()
            await self._app(scope, receive, send)
            return
        instead = _instead(active)
        if instead is not None:
            await instead(scope, receive, send)
            return
        await self._spoil(active, scope, receive, send)

    async def _spoil(self, active: Active, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        asked = bytearray()

        async def overhear() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        await self._app(scope, overhear, keep)
        body = b"".join(message.get("body", b"") for message in messages[1:])
        start = messages[0]
        url = str(Request(scope).url)
        spoiled = _SPOILERS[active.fault](body, url, bytes(asked))
        headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
        if active.fault is Fault.ANOTHERS_ANSWER:
            headers = [(k, b"SOMEBODY00M" + b"0" * 14 if k == b"x-api-tran-id" else v) for k, v in headers]
        length = len(body) if active.fault is Fault.CUT else len(spoiled)
        headers.append((b"content-length", str(length).encode()))
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": spoiled})


def _instead(active: Active) -> Response | None:
    wait = {} if active.retry_after is None else {"retry-after": active.retry_after}
    fault = active.fault
    if fault is Fault.DOWN:
        return Response("bad gateway", 502)
    if fault is Fault.THROTTLED:
        return Response("slow down", 429, wait)
    if fault is Fault.UNAVAILABLE:
        return Response("maintenance", 503, wait)
    if fault is Fault.REDIRECT:
        return Response("", 302, {"location": ELSEWHERE})
    if fault is Fault.EMPTY:
        return Response(b"", 200, media_type="application/json")
    if fault is Fault.HTML:
        return HTMLResponse("<!doctype html><title>점검 중</title><p>시스템 점검 중입니다.")
    if fault is Fault.HUGE:
        return Response(b" " * (9 * 1024 * 1024) + b"{}", 200, media_type="application/json")
    return None


_ATOM_NEXT = re.compile(rb'(<(?:\w+:)?link\b[^>]*\brel="next"[^>]*\bhref=")[^"]*', re.IGNORECASE)


def _renext(body: bytes, url: str, *, cursor: str) -> bytes:
    """Point every kind of `next` we know to `url`, or an opaque cursor back to `cursor`."""
    if body.lstrip().startswith(b"<"):
        return _ATOM_NEXT.sub(lambda found: found[1] + url.replace("&", "&amp;").encode(), body)
    read = orjson.loads(body)
    if isinstance(read.get("link"), list):
        others = [link for link in read["link"] if link.get("relation") != "next"]
        read["link"] = [*others, {"relation": "next", "url": url}]
    if isinstance(read.get("links"), dict):
        read["links"]["next"] = url
    for name in ("next", "next_page"):
        if name in read or (name == "next_page" and "rsp_code" in read):
            read[name] = url if str(read.get(name, "")).startswith(("http", "/")) else cursor
    return orjson.dumps(read)


def _self_next(body: bytes, url: str, asked: bytes) -> bytes:
    """Lead back to this very page: its own address, or the cursor it was asked with."""
    sent = re.search(rb'"next_page"\s*:\s*"([^"]*)"', asked)
    return _renext(body, url, cursor=sent[1].decode() if sent else "again")


def _malformed(body: bytes, _url: str, _asked: bytes) -> bytes:
    return body.replace(b":", b"=", 3)


_SPOILERS: dict[Fault, Callable[[bytes, str, bytes], bytes]] = {
    Fault.MALFORMED: _malformed,
    Fault.TRUNCATED: lambda body, _url, _asked: body[: len(body) // 2],
    Fault.CUT: lambda body, _url, _asked: body[: len(body) // 2],
    Fault.FOREIGN_NEXT: lambda body, _url, _asked: _renext(body, ELSEWHERE, cursor=ELSEWHERE),
    Fault.SELF_NEXT: _self_next,
    Fault.OVER_QUOTA: lambda _body, _url, _asked: b'{"rsp_code":"42901","rsp_msg":"over quota"}',
    Fault.ANOTHERS_ANSWER: lambda body, _url, _asked: body,
}
