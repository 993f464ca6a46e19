"""Every answer is counted and timed by its door, and carries the id under which the log speaks of it."""

from __future__ import annotations

import re
import secrets
import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.keyring import one_ring
from gateway.telemetry import Metrics, answered


class Access:
    """ASGI middleware. Door names are route templates, so no id or token becomes a label or a log value."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        """Count into `metrics`."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, started, status = new_request_id(), time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in scope.get(TOLD, ()):
                    headers[name] = value
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id), one_ring():
            try:
                await self._app(scope, receive, noted)
            finally:
                seconds = time.perf_counter() - started
                door = f"{_method(scope)} {_template(scope)}"
                self._metrics.answered(door, status, seconds)
                answered(door, status, seconds * 1000, request_id)


TOLD = "mydata.told"
"""Where a request carries headers its answer will have, whatever the answer is."""


GONE = 499
"""What is counted for a caller that hung up before it had asked; nobody is there to be answered."""


def tell(scope: Scope, name: str, value: str) -> None:
    """Let the answer to this request have a header."""
    scope[TOLD] = (*scope.get(TOLD, ()), (name, value))


def new_request_id() -> str:
    """A name for one request, for its answer and its log lines."""
    return secrets.token_hex(16)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _method(scope: Scope) -> str:
    """The method; `other` for invented ones, or every caller could make counters of its own."""
    return scope["method"] if scope["method"] in _METHODS else "other"


def _template(scope: Scope) -> str:
    """The path with its parameters taken out; `other` for what no route answers."""
    if "endpoint" not in scope:
        return "other"
    path: str = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        whole_steps = rf"(?<=/){re.escape(str(value))}(?=/|$)"
        path = re.sub(whole_steps, f"{{{name}}}", path)
    return path
