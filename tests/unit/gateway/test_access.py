"""What callers choose never becomes a label: not a method, not an id, not a path nobody serves."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message

from gateway.access import Access
from gateway.telemetry import Metrics


async def _found(_request: Request) -> Response:
    return PlainTextResponse("here")


APP = Starlette(
    routes=[
        Route("/my/consents/{consent}", _found, methods=["GET"]),
        Route("/ledger/tile/{path:path}", _found, methods=["GET"]),
    ]
)


async def labels(method: str, path: str) -> str:
    """The counters after one request."""
    metrics = Metrics()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        return

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    await Access(APP, metrics=metrics)(scope, receive, send)
    return generate_latest(metrics.registry).decode()


@pytest.mark.parametrize(
    ("method", "path", "door"),
    [
        ("GET", "/my/consents/c-123", "GET /my/consents/{consent}"),
        ("GET", "/my/consents/on", "GET /my/consents/{consent}"),
        ("GET", "/ledger/tile/0/x001/067", "GET /ledger/tile/{path}"),
        ("GET", "/900101-1234567", "GET other"),
        ("SPAM4711", "/my/consents/c-123", "other /my/consents/{consent}"),
    ],
)
async def test_a_door_is_named_by_its_template(method: str, path: str, door: str) -> None:
    """One label a door, whatever stands in the request."""
    told = await labels(method, path)

    assert f'door="{door}"' in told
    assert told.count("mydata_requests_total{") == 1
