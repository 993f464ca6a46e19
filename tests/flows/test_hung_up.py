"""A caller that hangs up while it asks: no failure of the gateway, at whichever door."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

import pytest
from prometheus_client import generate_latest

from tests.world import World, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
GONE = 'mydata_requests_total{door="POST %s",status="499"} 1.0'


@pytest.mark.parametrize(
    ("path", "door"), [("/token", "/token"), ("/my/consents/c-1/withdraw", "/my/consents/{consent}/withdraw")]
)
async def test_a_caller_that_hangs_up(
    world: World, caplog: pytest.LogCaptureFixture, path: str, door: str
) -> None:
    """Half a body and gone: counted as that, with no error in the log and no 500 in the counters."""
    issuer = urlsplit(world.settings.issuer)
    head = f"POST {path} HTTP/1.1\r\nHost: {issuer.netloc}\r\nContent-Length: 50\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\nhalf"
    with caplog.at_level(logging.ERROR):
        _, writer = await asyncio.open_connection(issuer.hostname, issuer.port)
        writer.write(head.encode())
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await until(lambda: GONE % door in _metrics(world), 5)

    assert f'door="POST {door}",status="500"' not in _metrics(world)
    assert caplog.records == []


def _metrics(world: World) -> str:
    return generate_latest(world.parts.metrics.registry).decode()
