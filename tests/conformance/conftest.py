"""The authorization server behind real https, spoken to by a client that trusts only this run's authority."""

from __future__ import annotations

import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from gateway.database import Database
from gateway.oauth.dpop_nonce import nonces
from tests.authority import Authority, make_authority
from tests.oauth_stage import Stage
from tests.serving import listening, port_of, serving


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """This run's certificate authority."""
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def stage(database: Database, authority: Authority) -> AsyncIterator[Stage]:
    """An authorization server over https on a free port, with one registered client."""
    bound = listening()
    issuer = f"https://127.0.0.1:{port_of(bound)}"
    async with _served(Stage(database, issuer), issuer, bound, authority) as made:
        yield made


@pytest.fixture
async def outside(database: Database, authority: Authority) -> AsyncIterator[Stage]:
    """The same behind a terminator: its issuer has a name and the default port, its socket another one."""
    bound = listening()
    made = Stage(database, "https://gateway.example")
    async with _served(made, f"https://127.0.0.1:{port_of(bound)}", bound, authority):
        yield made


@pytest.fixture
async def demanding(database: Database, authority: Authority) -> AsyncIterator[Stage]:
    """A server that wants its own nonces in every proof (RFC 9449 8)."""
    bound = listening()
    issuer = f"https://127.0.0.1:{port_of(bound)}"
    made = Stage(database, issuer, nonces=nonces("required", secrets.token_bytes(32)))
    async with _served(made, issuer, bound, authority):
        yield made


@asynccontextmanager
async def _served(
    made: Stage, address: str, bound: socket.socket, authority: Authority
) -> AsyncIterator[Stage]:
    await made.register()
    await made.http.aclose()
    async with (
        serving(made.app, [bound], authority),
        httpx.AsyncClient(base_url=address, verify=authority.client_context()) as http,
    ):
        made.http = http
        yield made
