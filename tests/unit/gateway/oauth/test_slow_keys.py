"""A gateway whose keys lie in another machine: doors wait for a signature, the event loop never does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from gateway.database import Database, in_transaction
from gateway.keyring import Keyring, LiveKeyring, SigningKey
from gateway.keys.vault import VaultCustody
from gateway.oauth.jws import parse, verify
from tests.authority import make_authority
from tests.oauth_stage import Stage
from tests.transit import Transit, transit

SIGNED = {"accept": "application/token-introspection+jwt"}


@dataclass
class Far:
    """A stage that signs with keys in an engine."""

    stage: Stage
    engine: Transit
    ring: Keyring


@pytest.fixture
async def far(database: Database, tmp_path: Path) -> AsyncIterator[Far]:
    """A server whose every key lies in a transit engine, and its one client."""
    authority = make_authority(tmp_path)
    stage = Stage(database, "https://gateway.test")
    async with transit(authority) as engine:
        tls = authority.client_context()
        custody = VaultCustody(engine.url, lambda: engine.token, tls, refuse=in_transaction, seconds=30.0)
        made = [SigningKey.of((await asyncio.to_thread(custody.make, alg))[0]) for alg in ("ES256", "EdDSA")]
        stage.server.minter.signing = LiveKeyring(Keyring(tuple(made)))
        await stage.register()
        yield Far(stage, engine, Keyring(tuple(made)))
        await asyncio.to_thread(custody.close)
    await stage.http.aclose()


async def meanwhile(far: Far, *asked: Awaitable[httpx.Response]) -> list[httpx.Response]:
    """The answers to requests that all wait for a signature at the same time, while others are answered."""
    far.engine.open.clear()
    doors = asyncio.gather(*asked)
    try:
        while far.engine.waiting < len(asked):
            assert not doors.done()
            await asyncio.sleep(0.01)
        assert (await far.stage.push()).status_code == 201
        assert not doors.done()
    finally:
        far.engine.open.set()
    return await doors


async def test_tokens_responses_and_introspection_are_signed_there(far: Far) -> None:
    """Each verifies under the published key; while the engine takes its time the loop goes on."""
    stage = far.stage
    code = await stage.code(response_mode=None)
    (answered,) = await meanwhile(far, stage.token(code))
    assert answered.status_code == 200
    token = answered.json()["access_token"]
    (told,) = await meanwhile(far, introspected(stage, token))
    for text in (token, told.text):
        jws = parse(text)
        public = far.ring.public(jws.header["kid"])
        assert public is not None
        assert verify(jws, public)
    assert (await stage.call(token)).status_code == 200


async def introspected(stage: Stage, token: str) -> httpx.Response:
    """The signed word about a token."""
    form = {
        "client_id": stage.client_id,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": stage.assertion(),
        "token": token,
    }
    return await stage.http.post("/introspect", data=form, headers=SIGNED)


async def test_many_wait_side_by_side(far: Far) -> None:
    """Four requests wait for their signatures at the same time."""
    asked = [far.stage.post("/token", grant_type="client_credentials") for _ in range(4)]
    assert [answer.status_code for answer in await meanwhile(far, *asked)] == [200] * 4


@pytest.mark.parametrize("door", ["token", "resume"])
async def test_no_signature_changes_nothing_and_can_be_tried_again(far: Far, door: str) -> None:
    """503, nothing used up; when the engine is back the same code, or the same answer, is finished."""
    stage = far.stage
    interaction = await stage.interaction(response_mode="jwt")
    stage.consent = await stage.settle(interaction)
    code = "" if door == "resume" else await stage.code()
    before = await stage.state()
    far.engine.status = 503
    failed = await (stage.token(code) if door == "token" else stage.resume(interaction))
    assert failed.status_code == 503
    assert failed.json().get("error", "temporarily_unavailable") == "temporarily_unavailable"
    assert await stage.state() == before
    far.engine.status = 0
    await asyncio.sleep(1.1)
    again = await (stage.token(code) if door == "token" else stage.resume(interaction))
    assert again.status_code == (200 if door == "token" else 303)
