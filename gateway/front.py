"""The hot doors, ahead of the middleware stack: the same promises as every door keeps, in one step.

    connection → Peer → front door → the door itself
               ↘ any other path → Access → SecurityHeaders → CrossOrigin → routes

A front door reads no cookie, answers data and takes only POST, so the rest of the stack has nothing to do
here. What remains is done by one function: the real peer, the request's id, the ring it signs with, the
headers of every answer, the counters and the log line, and an answer for an error nobody foresaw.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access import GONE, TOLD, new_request_id
from gateway.keyring import one_ring
from gateway.security.headers import HeaderSet
from gateway.security.peer import Peer
from gateway.telemetry import Metrics, answered

Failed = Callable[[Request, Exception], Awaitable[Response]]
"""The answer to an error that a door did not name."""
Described = Callable[[dict[str, Any], Sequence[BaseRoute]], dict[str, Any]]


class Front(FastAPI):
    """The application: front doors first, then everything FastAPI knows."""

    def __init__(
        self,
        *,
        metrics: Metrics,
        headers: HeaderSet,
        trusted: Sequence[str],
        failed: Failed,
        described: Described,
        **rest: Any,
    ) -> None:
        """Count into `metrics`, complete answers by `headers`; `trusted` as in `Peer`.

        `described(generated, routes)` completes the OpenAPI document.
        """
        super().__init__(**rest)
        self._metrics = metrics
        self._headers = headers
        self._trusted = trusted
        self._failed = failed
        self._described = described
        self._doors: dict[str, ASGIApp] = {}
        self._told: dict[str, Any] | None = None

    def put_in_front(self, paths: Iterable[str]) -> None:
        """Let the plain routes at `paths` answer POST ahead of the stack. Their handlers take a Request."""
        wanted = frozenset(paths)
        for route in self.router.routes:
            if isinstance(route, Route) and route.path in wanted:
                door = _FrontDoor(route.path, route.endpoint, self._metrics, self._headers, self._failed)
                self._doors[route.path] = Peer(door, trusted=self._trusted)

    def openapi(self) -> dict[str, Any]:
        """Every door, not only those FastAPI made itself. Asked for when all routes are there."""
        if self._told is None:
            self._told = self._described(super().openapi(), self.router.routes)
        return self._told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "http" and scope["method"] == "POST":
            door = self._doors.get(scope["path"])
            if door is not None:
                scope["app"] = self
                await door(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


class _FrontDoor:
    """What `Access` and `SecurityHeaders` do for other doors."""

    def __init__(
        self,
        path: str,
        handler: Callable[[Request], Awaitable[Response]],
        metrics: Metrics,
        headers: HeaderSet,
        failed: Failed,
    ) -> None:
        self._name = f"POST {path}"
        self._handler = handler
        self._metrics = metrics
        self._headers = headers
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id, started, status, begun = new_request_id(), time.perf_counter(), 500, False

        async def noted(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                headers = self._headers.complete(message["headers"])
                message["headers"] = [*headers, (b"x-request-id", request_id.encode())]
                for name, value in scope.get(TOLD, ()):
                    MutableHeaders(scope=message)[name] = value
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id), one_ring():
            request = Request(scope, receive)
            try:
                response = await self._handler(request)
                await response(scope, receive, noted)
            except ClientDisconnect:
                status = GONE
            except Exception as error:
                # As the stack does: the caller is told, and the server behind us hears of it.
                if not begun:
                    await (await self._failed(request, error))(scope, receive, noted)
                raise
            finally:
                seconds = time.perf_counter() - started
                self._metrics.answered(self._name, status, seconds)
                answered(self._name, status, seconds * 1000, request_id)
