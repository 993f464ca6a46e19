"""One pull's way out to its holder: the runtime's `Io`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx

from connectors.breaker import Breaker
from connectors.contract import Check, Json, Manifest, Page, Reason
from connectors.errors import HolderError
from connectors.http import READ_SECONDS, Answer, exchange
from connectors.origins import inside, origin_of
from connectors.refusals import asked_wait, refusal
from connectors.retry import pause

Token = Callable[[bool], Awaitable[str]]
"""Gives the holder token of this person and consent; True asks for a new one. May raise HolderError."""


@dataclass(frozen=True, slots=True)
class Machinery:
    """What the runtime is given by its surroundings, so that tests can move it."""

    client: httpx.AsyncClient
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]


class Session:
    """Implements `connectors.contract.Io` for one pull. Not shared between tasks."""

    def __init__(
        self,
        manifest: Manifest,
        token: Token,
        machinery: Machinery,
        breaker: Breaker,
        *,
        cancelled: Callable[[], bool],
    ) -> None:
        """Start the clock of the pull: everything counts against `manifest.budget` from here."""
        self._manifest = manifest
        self._token = token
        self._machinery = machinery
        self._breaker = breaker
        self._cancelled = cancelled
        self._ends = machinery.monotonic() + manifest.budget.seconds
        self._answered: set[tuple[str, str, bytes]] = set()
        self._renewed = False
        self.requests = 0
        self.received = 0

    async def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        accept: str = "application/json",
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> Page:
        """See `connectors.contract.Io`."""
        url = self._url(path)
        if params:
            url = url.copy_merge_params(dict(params))
        return await self._answer("GET", url, b"", {"accept": accept, **(headers or {})}, check)

    async def post(
        self,
        path: str,
        body: Mapping[str, Json],
        *,
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> Page:
        """See `connectors.contract.Io`."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        named = {
            "accept": "application/json",
            "content-type": "application/json; charset=utf-8",
            **(headers or {}),
        }
        url = self._url(path)
        return await self._answer("POST", url, content, named, check)

    def _url(self, path: str) -> httpx.URL:
        """Pinned twice: as the standard library reads the address, and as the client will."""
        try:
            url = httpx.URL(inside(self._manifest.origin, path))
        except httpx.InvalidURL:
            raise HolderError(Reason.FOREIGN_NEXT, "a link of the holder is not a usable address") from None
        if origin_of(str(url)) != origin_of(self._manifest.origin):
            raise HolderError(Reason.FOREIGN_NEXT, "a link of the holder leads away from the holder")
        return url

    async def _answer(
        self, method: str, url: httpx.URL, content: bytes, headers: dict[str, str], check: Check | None
    ) -> Page:
        asked = (method, str(url), content)
        if asked in self._answered:
            raise HolderError(Reason.CORRUPT, "the next page is one already read", final=True)
        attempt = 0
        while True:
            try:
                answer = await self._attempt(asked, headers)
                page = Page(answer.url, answer.body, answer.headers)
                self._judge(answer, page, check)
            except HolderError as error:
                self._note(error)
                attempt += 1
                if not error.may_pass or attempt >= self._manifest.budget.attempts:
                    raise
                await self._wait(attempt - 1, error)
                continue
            self._answered.add(asked)
            return page

    async def _attempt(self, asked: tuple[str, str, bytes], headers: dict[str, str]) -> Answer:
        """Send once; once a pull, a 401 is answered with a new token and sent again."""
        self._breaker.admit()
        answer = await self._send(asked, headers, await self._authorise(renew=False))
        if answer.status == 401 and not self._renewed:
            self._renewed = True
            answer = await self._send(asked, headers, await self._authorise(renew=True))
        return answer

    async def _authorise(self, *, renew: bool) -> str:
        self._may_go_on()
        try:
            async with asyncio.timeout(self._left()):
                return await self._token(renew)
        except TimeoutError:
            raise HolderError(Reason.TIMEOUT, "no holder token in time") from None

    async def _send(self, asked: tuple[str, str, bytes], headers: dict[str, str], token: str) -> Answer:
        self._may_go_on()
        budget = self._manifest.budget
        self.requests += 1
        method, url, content = asked
        named = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        request = self._machinery.client.build_request(
            method, url, content=content or None, headers={**named, "authorization": f"Bearer {token}"}
        )
        room = min(budget.page_bytes, budget.total_bytes - self.received)
        answer = await exchange(
            self._machinery.client, request, seconds=min(READ_SECONDS, self._left()), max_bytes=max(room, 0)
        )
        self.received += len(answer.body)
        return answer

    def _may_go_on(self) -> None:
        if self._cancelled():
            raise HolderError(Reason.CANCELLED, "the pull was called off")
        if self.requests >= self._manifest.budget.requests:
            raise HolderError(Reason.BUDGET, f"{self.requests} requests are the limit of one pull")
        if self._left() <= 0:
            raise HolderError(Reason.TIMEOUT, "the time of this pull is used up", final=True)

    def _left(self) -> float:
        return self._ends - self._machinery.monotonic()

    def _judge(self, answer: Answer, page: Page, check: Check | None) -> None:
        if check is not None:
            try:
                check(answer.status, page)
            except HolderError as named:
                named.retry_after = named.retry_after or asked_wait(answer, self._machinery.clock())
                raise
        error = refusal(answer, self._machinery.clock())
        if error is not None:
            raise error
        self._breaker.succeeded()

    def _note(self, error: HolderError) -> None:
        if error.reason in (Reason.HOLDER_DOWN, Reason.TIMEOUT) and not error.final:
            self._breaker.failed()
        elif error.reason not in (Reason.HOLDER_DOWN, Reason.CANCELLED, Reason.BUDGET, Reason.TIMEOUT):
            self._breaker.succeeded()

    async def _wait(self, attempt: int, error: HolderError) -> None:
        seconds = pause(attempt, error.retry_after, self._machinery.random)
        if seconds >= self._left():
            raise error
        await self._machinery.sleep(seconds)
