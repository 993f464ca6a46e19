"""Fetching a client's key set from the address it registered, and from nowhere else.

https only, no redirects, no proxy, no cookies, bounded time and size. The address a name resolves to is the
one that is connected to (a second answer of a hostile name server is never asked for), and it MUST be public
unless the operator listed its network: a registration is no way into the operator's own network.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from connectors.trust import machine_trust
from gateway.oauth.client_document import is_jwks_uri
from gateway.oauth.client_keys import Jwks, usable
from gateway.settings import Settings

SECONDS = 5.0
MAX_BYTES = 64 * 1024
FLOOR_SECONDS = 300
CEILING_SECONDS = 86_400
USUAL_SECONDS = 3600
_TYPES = ("application/jwk-set+json", "application/json")
_MAX_AGE = re.compile(r"(?:^|,)\s*max-age=([0-9]{1,9})\s*(?:,|$)")

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_INSIDE = tuple(ipaddress.IPv6Network(one) for one in ("::/96", "64:ff9b:1::/48", "fec0::/10"))
"""What Python calls global and no network routes outside: RFC 4291 2.5.5.1 and 2.5.7, RFC 8215."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ClientKeysUnreadable(Exception):
    """The key set cannot be had now. `code` is stable; the text repeats nothing of the answer."""

    code = "client_keys_unreadable"

    def __init__(self, message: str) -> None:
        """Say why."""
        super().__init__(message)
        self.params = {"what": message}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A key set and for how many seconds it may be used without looking again."""

    jwks: Jwks
    seconds: int


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches key sets. `allowed`: networks beside the public ones; `refuse` is true inside a transaction."""

    tls: ssl.SSLContext = field(repr=False)
    allowed: Sequence[Network] = ()
    refuse: Callable[[], bool] = lambda: False
    seconds: float = SECONDS

    async def fetch(self, uri: str) -> Fetched:
        """The usable keys at `uri`. Raises ClientKeysUnreadable; ClientDocumentError for a wrong set."""
        found, seconds = await self.read(uri)
        return Fetched(usable(found), seconds)

    async def read(self, uri: str) -> tuple[Any, int]:
        """The JSON at a registered address, and how long it may be used. Raises ClientKeysUnreadable."""
        if self.refuse():
            raise RuntimeError("no network call may happen inside a transaction")
        if not is_jwks_uri(uri):
            raise ClientKeysUnreadable("it must be an https address")
        self._refuse_literal(urlsplit(uri).hostname or "")
        try:
            async with asyncio.timeout(self.seconds):
                body, seconds = await self._get(uri)
        except TimeoutError:
            raise ClientKeysUnreadable("no whole answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ClientKeysUnreadable(f"the connection failed ({type(error).__name__})") from None
        try:
            return orjson.loads(body), seconds
        except orjson.JSONDecodeError:
            raise ClientKeysUnreadable("the answer is not JSON") from None

    async def _get(self, uri: str) -> tuple[bytes, int]:
        connector = aiohttp.TCPConnector(
            ssl=self.tls, resolver=_Checked(self.permits), use_dns_cache=False, force_close=True
        )
        headers = {"accept": ", ".join(_TYPES), "accept-encoding": "identity", "user-agent": "mydata-gateway"}
        own = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
        )
        async with own as session, session.get(uri, headers=headers, allow_redirects=False) as answer:
            if answer.status != 200:
                raise ClientKeysUnreadable(f"the answer has status {answer.status}")
            if answer.content_type not in _TYPES or "content-encoding" in answer.headers:
                raise ClientKeysUnreadable("the answer is not application/json or application/jwk-set+json")
            body = bytearray()
            async for piece in answer.content.iter_chunked(8192):
                body += piece
                if len(body) > MAX_BYTES:
                    raise ClientKeysUnreadable(f"the answer is over {MAX_BYTES} bytes")
            return bytes(body), lifetime(answer.headers.get("cache-control", ""))

    def permits(self, address: str) -> bool:
        """Whether keys may be fetched from this IP address."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(ip, ipaddress.IPv6Address):
            inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or _nat64(ip)
            if inner is not None:
                return self.permits(str(inner))
        inside = ip.is_multicast or any(ip in network for network in _INSIDE)
        public = ip.is_global and not inside
        return public or any(ip in network for network in self.allowed)

    def _refuse_literal(self, host: str) -> None:
        try:
            permitted = self.permits(host)
        except ValueError:
            return  # a name: what it resolves to is looked at when it is connected to
        if not permitted:
            raise ClientKeysUnreadable("the address is not a public one")


def _nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address a translator would be asked for (RFC 6052 2.1)."""
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None


class _Checked(AbstractResolver):
    """Resolves once, and gives only addresses that are permitted; one that is not spoils the name."""

    def __init__(self, permits: Callable[[str], bool]) -> None:
        self._permits = permits
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not all(self._permits(one["host"]) for one in found):
            raise OSError("the name leads to an address that is not public")
        return found

    async def close(self) -> None:
        await self._inner.close()


def lifetime(cache_control: str) -> int:
    """How long an answer may be used (RFC 9111 5.2.2.1), between floor and ceiling."""
    found = _MAX_AGE.search(cache_control.lower())
    seconds = int(found[1]) if found else USUAL_SECONDS
    return min(max(seconds, FLOOR_SECONDS), CEILING_SECONDS)


def fetcher_for(settings: Settings, refuse: Callable[[], bool]) -> Fetcher:
    """The fetcher of these settings. The demo profile may fetch from its own machine and network."""
    tls = machine_trust()
    if settings.ca is not None:
        tls = ssl.create_default_context()
        tls.load_verify_locations(settings.ca)
    listed = ("0.0.0.0/0", "::/0") if settings.profile == "demo" else settings.client_key_networks
    return Fetcher(tls, tuple(ipaddress.ip_network(one) for one in listed), refuse)
