"""The one way to a holder's door: httpx's API over the aiohttp engine, without what a browser would add.

No redirects, no cookies (one client serves many citizens), no proxy or netrc from the environment, no
request while a database transaction is open, no body beyond its bound. Decided in
docs/decisions/0003-http-client.md.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from connectors.contract import Reason
from connectors.errors import HolderError
from connectors.inflate import Inflater
from connectors.trust import machine_trust

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0


class NetworkInTransaction(RuntimeError):
    """Someone called the network while a database transaction was open: a fault of ours, never a gap."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status. Header names are lower-case."""

    status: int
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class _Guarded(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, refuse: Callable[[], bool]) -> None:
        self._inner = inner
        self._refuse = refuse

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._refuse():
            raise NetworkInTransaction("no network call may happen inside a transaction")
        try:
            return await self._inner.handle_async_request(request)
        except aiohttp.ClientError as error:
            raise httpx.RemoteProtocolError(type(error).__name__) from error

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def open_client(
    *,
    refuse: Callable[[], bool] = lambda: False,
    tls: ssl.SSLContext | None = None,
    connections: int = 100,
) -> AsyncIterator[httpx.AsyncClient]:
    """Open the client every request to holders goes through; closed on leaving.

    `refuse` is asked before each request and MUST be true while a database transaction is open in this
    task; the request then raises NetworkInTransaction. `tls` names the authorities holders are trusted
    by (and our certificate, for mutual TLS). `connections` bounds open connections in all.
    """
    context = tls or machine_trust()

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=context, limit=connections, keepalive_timeout=15)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    transport = _Guarded(AiohttpTransport(verify=context, client=session), refuse)
    async with httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=READ_SECONDS),
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"user-agent": "mydata-gateway", "accept-encoding": "gzip"},
    ) as client:
        yield client


async def exchange(
    client: httpx.AsyncClient, request: httpx.Request, *, seconds: float, max_bytes: int
) -> Answer:
    """Send one request and read at most `max_bytes` of (decoded) body within `seconds` in all.

    A connection that did not open in time is tried once more: nothing was sent, so nothing is done twice.
    Raises HolderError with TIMEOUT, HOLDER_DOWN, CORRUPT (undecodable) or TOO_LARGE; any status is an Answer.
    """
    try:
        async with asyncio.timeout(seconds):
            response = await _sent(client, request)
            try:
                body = await _bounded(response, max_bytes)
            finally:
                await response.aclose()
    except TimeoutError:
        raise HolderError(Reason.TIMEOUT, "no whole answer in time") from None
    except (httpx.TransportError, aiohttp.ClientError) as error:
        late = isinstance(error.__cause__, TimeoutError)
        detail = "no answer in time" if late else f"the connection failed ({type(error).__name__})"
        raise HolderError(Reason.TIMEOUT if late else Reason.HOLDER_DOWN, detail) from None
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, str(request.url), headers, body)


async def _sent(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    try:
        return await client.send(request, stream=True, follow_redirects=False)
    except httpx.ConnectTimeout:
        return await client.send(request, stream=True, follow_redirects=False)


async def _bounded(response: httpx.Response, max_bytes: int) -> bytes:
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise HolderError(Reason.TOO_LARGE, f"the answer is over {max_bytes} bytes")
    inflater, body = Inflater(response.headers.get("content-encoding", "")), bytearray()
    async for piece in response.aiter_raw():
        body += inflater.take(piece, max_bytes + 1 - len(body))
        if len(body) > max_bytes:
            raise HolderError(Reason.TOO_LARGE, f"the answer is over {max_bytes} bytes")
    inflater.end()
    return bytes(body)
