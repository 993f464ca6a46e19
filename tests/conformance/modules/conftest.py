"""A stage in the variant a test is collected for; where a module looks at TLS itself, behind a real nginx."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.database import Database
from gateway.security.client_certificate import Terminators, networks
from gateway.security.peer import Peer
from tests import nginx
from tests.authority import Authority
from tests.client_certificates import ClientAuthority, Shown
from tests.conformance.variants import LOOKS_AT_TLS, Variant
from tests.conformance.varied import VariedStage
from tests.serving import listening, port_of, serving

HEADERS = ("x-client-certificate", "x-client-certificate-verified")
LOOPBACK = ["127.0.0.1"]


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> ClientAuthority:
    """Who issues the certificates of this run's clients."""
    return ClientAuthority(tmp_path_factory.mktemp("clients"))


@pytest.fixture
async def stage(
    database: Database, authority: Authority, issued: ClientAuthority, variant: Variant, module: str
) -> AsyncIterator[VariedStage]:
    """An authorization server over https, with one client registered as the variant wants it."""
    behind = _behind_nginx if variant.shows_certificate and module in LOOKS_AT_TLS else _alone
    async with behind(database, authority, issued, variant) as made:
        yield made


@pytest.fixture
async def outside(
    database: Database,
    authority: Authority,
    issued: ClientAuthority,
    variant: Variant,
    module: str,
) -> AsyncIterator[VariedStage]:
    """The same under a name and the default port, behind a socket with another one."""
    issuer = "https://gateway.example"
    async with _alone(database, authority, issued, variant, issuer) as made:
        yield made


@asynccontextmanager
async def _alone(
    database: Database,
    authority: Authority,
    issued: ClientAuthority,
    variant: Variant,
    issuer: str | None = None,
) -> AsyncIterator[VariedStage]:
    """Certificates come as the header a trusted terminator sends, from its address."""
    bound = listening()
    address = f"https://127.0.0.1:{port_of(bound)}"
    issuer = issuer or address
    origin = f"https://mtls.{urlsplit(issuer).hostname}"
    ends = Terminators(origin, networks(LOOPBACK), *HEADERS)
    made = VariedStage(
        database, issuer, terminators=ends if variant.shows_certificate else None, variant=variant,
        origin=origin, issued=issued,
    )  # fmt: skip
    await made.http.aclose()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(Peer(made.app, trusted=LOOPBACK), [bound], authority))
        made.open = partial(_with_header, stack, address, authority)
        made.http = await made.open(None)
        await made.register()
        yield made


async def _with_header(
    stack: AsyncExitStack, address: str, authority: Authority, shown: Shown | None
) -> httpx.AsyncClient:
    headers = {} if shown is None else {HEADERS[0]: shown.header, HEADERS[1]: "SUCCESS"}
    client = httpx.AsyncClient(base_url=address, verify=authority.client_context(), headers=headers)
    return await stack.enter_async_context(client)


@asynccontextmanager
async def _behind_nginx(
    database: Database, authority: Authority, issued: ClientAuthority, variant: Variant
) -> AsyncIterator[VariedStage]:
    """Certificates are shown in the handshake with nginx, which hands them on."""
    bound, ports = listening(), nginx.two_ports()
    issuer, origin = f"https://127.0.0.1:{ports.issuer}", f"https://127.0.0.1:{ports.mtls}"
    ends = Terminators(origin, networks(LOOPBACK), *HEADERS)
    made = VariedStage(database, issuer, terminators=ends, variant=variant, origin=origin, issued=issued)
    await made.http.aclose()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(Peer(made.app, trusted=LOOPBACK), [bound]))
        await stack.enter_async_context(nginx.before(port_of(bound), ports, authority, issued.bundle))
        made.open = partial(_by_handshake, stack, origin, authority)
        context = authority.client_context()
        made.http = await stack.enter_async_context(httpx.AsyncClient(base_url=issuer, verify=context))
        await made.register()
        yield made


async def _by_handshake(
    stack: AsyncExitStack, origin: str, authority: Authority, shown: Shown | None
) -> httpx.AsyncClient:
    context = authority.client_context() if shown is None else shown.context(Path(authority.bundle))
    return await stack.enter_async_context(httpx.AsyncClient(base_url=origin, verify=context))
