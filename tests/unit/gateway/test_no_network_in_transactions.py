"""No network call inside a transaction: every way out of the real gateway refuses one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import yaml
from sqlmodel import SQLModel

from connectors import authorization
from connectors.authorization import ConsentTerms
from connectors.errors import HolderError
from connectors.http import NetworkInTransaction
from gateway.database import Database
from gateway.demo.participants import registry
from gateway.keys import create_keys
from gateway.parts import Parts, open_parts
from gateway.policy.decide import decide
from gateway.settings import Settings
from gateway.telemetry import Metrics
from gateway.web.identity import Attempt, IdentityError
from gateway.web.openid import OpenIdProvider, RelyingParty
from tests.policy.table import question

NOWHERE = "http://127.0.0.1:9"
SECTORS = ("finance", "telecom", "energy", "retail", "medical")


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    """The parts of a real gateway, as `create_app` opens them, among holders nobody serves."""
    create_keys(tmp_path / "keys")
    document = registry(NOWHERE, dict.fromkeys(SECTORS, NOWHERE))
    (tmp_path / "registry.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
    settings = Settings(
        profile="demo",
        issuer=NOWHERE,
        database=f"sqlite+aiosqlite:///{tmp_path / 'mydata.db'}",
        keys=tmp_path / "keys",
        registry=tmp_path / "registry.yaml",
    )
    store = Database(settings.database)
    async with store.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    await store.close()
    async with open_parts(settings, Metrics()) as opened:
        yield opened


async def pull(parts: Parts) -> None:
    """Ask a holder for a token, the beginning of every pull."""
    manifest = parts.holders["hanbit-bank"].manifest
    await authorization.token(parts.gateway, manifest, "link", ConsentTerms("c", 1, 2_000_000_000, ()))


async def link(parts: Parts) -> None:
    """Link a person to a holder."""
    await authorization.link(parts.gateway, parts.holders["saebom-hospital"].manifest, "statement")


async def notify(parts: Parts) -> None:
    """Tell a holder of a withdrawal."""
    await authorization.notify(parts.gateway, parts.holders["nuri-telecom"].manifest, "c", 2, "withdrawn")


async def sign_in(parts: Parts) -> None:
    """Discover the identity provider, the beginning of every sign-in."""
    party = RelyingParty("us", f"{NOWHERE}/sign-in/return", parts.keys.signing.sign)
    provider = OpenIdProvider(NOWHERE, party, parts.gateway.client)
    await provider.begin(Attempt("s", "n", "v"), "ko")


WAYS_OUT = [pull, link, notify, sign_in]


@pytest.mark.parametrize("way_out", WAYS_OUT)
async def test_inside_a_transaction_every_way_out_is_shut(
    parts: Parts, way_out: Callable[[Parts], Awaitable[None]]
) -> None:
    """The call fails before a socket is touched, as a fault of ours that nobody mistakes for a holder's."""
    with pytest.raises(NetworkInTransaction):
        async with parts.database.transaction():
            await way_out(parts)


@pytest.mark.parametrize("way_out", WAYS_OUT)
async def test_outside_it_is_open(parts: Parts, way_out: Callable[[Parts], Awaitable[None]]) -> None:
    """The same call without a transaction, after one and inside a reading too, goes out (to nobody)."""
    async with parts.database.transaction():
        pass
    async with parts.database.reading():
        with pytest.raises((HolderError, IdentityError)):
            await way_out(parts)


async def test_policy_is_never_asked_inside_a_transaction(parts: Parts) -> None:
    """Whichever engine runs: a question inside a transaction is a fault, not a denial that gets recorded."""
    with pytest.raises(RuntimeError, match="transaction"):
        async with parts.database.transaction():
            await decide(parts.engine, question())
    assert (await decide(parts.engine, question())).available
