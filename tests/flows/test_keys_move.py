"""Keys of a running gateway move: rotated, retired, and a suspended client, seen from the company's side."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest

from connectors.sandbox.faults import Fault
from consent.events import Event
from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.demo.company import CompanyError
from gateway.keys import SigningKeys, load_keys
from gateway.keys.manifest import ANNOUNCE_SECONDS
from gateway.oauth import clients
from gateway.oauth.published import MAX_AGE_SECONDS
from gateway.oauth.tokens import LIFETIME_SECONDS
from gateway.transfers.suspension import end_of_client
from tests.world import Given, World


def kid_of(token: str) -> str:
    """The key a token says it was signed by."""
    header = token.split(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


def elsewhere(world: World) -> SigningKeys:
    """The signing keys as a command or another replica has them open."""
    house = load_keys(world.folder / "keys", now=world.clock.seconds).house
    assert house is not None
    return house


async def published(world: World, **headers: str) -> httpx.Response:
    """The key set as anybody fetches it."""
    return await world.http.get(f"{world.origin}/.well-known/jwks.json", headers=headers)


async def works(given: Given) -> bool:
    """Whether the access token opens the data doors."""
    answer = await given.company.call("GET", f"{given.company.issuer}/transfers/none")
    assert answer.status_code in (401, 404)
    return answer.status_code == 404


async def test_a_rotation_nobody_notices(own_world: World) -> None:
    """A key another process announces is published at once, signs an hour later, and breaks no token."""
    given = await own_world.given()
    first, before = kid_of(given.tokens["access_token"]), await published(own_world)
    assert before.headers["cache-control"] == f"public, max-age={MAX_AGE_SECONDS}"
    known = {"If-None-Match": before.headers["etag"]}
    assert (await published(own_world, **known)).status_code == 304
    second = elsewhere(own_world).rotate("ES256", own_world.clock.seconds).kid
    await own_world.parts.rotation.once()
    after = await published(own_world, **known)
    assert after.status_code == 200
    assert [key["kid"] for key in after.json()["keys"]] == [first, second]
    await own_world.forward(ANNOUNCE_SECONDS - LIFETIME_SECONDS // 2)
    assert kid_of((await given.company.refresh())["access_token"]) == first
    await own_world.forward(LIFETIME_SECONDS // 2)
    await own_world.parts.rotation.once()
    assert await works(given)
    assert kid_of((await given.company.refresh())["access_token"]) == second
    assert await works(given)
    assert (await own_world.kinds())[Event.KEY_SIGNING_ANNOUNCED.value] == 1
    await own_world.parts.rotation.once()
    assert (await own_world.kinds())[Event.KEY_SIGNING_ANNOUNCED.value] == 1


async def test_the_schedule_rotates_by_itself(own_world: World) -> None:
    """After the period a running gateway announces the next key; sign-in and receipts go on under it."""
    await own_world.forward(own_world.settings.key_rotation_days * 86_400)
    await own_world.parts.rotation.once()
    assert len((await published(own_world)).json()["keys"]) == 2
    assert (await own_world.kinds())[Event.KEY_SIGNING_ANNOUNCED.value] == 1
    second = (await published(own_world)).json()["keys"][1]["kid"]
    await own_world.forward(ANNOUNCE_SECONDS)
    await own_world.parts.rotation.once()
    given = await own_world.given()
    assert kid_of(given.tokens["access_token"]) == second


async def test_a_compromised_key_ends_what_it_signed(own_world: World) -> None:
    """Its tokens fail, it is published no more, and the company goes on with its refresh token."""
    given = await own_world.given()
    first = kid_of(given.tokens["access_token"])
    elsewhere(own_world).revoke(first, own_world.clock.seconds)
    assert await works(given)
    await own_world.parts.rotation.once()
    assert not await works(given)
    assert first not in [key["kid"] for key in (await published(own_world)).json()["keys"]]
    old = await own_world.http.get(f"{own_world.origin}/.well-known/historical-jwks.json")
    assert [key["kid"] for key in old.json()["keys"] if "revoked" in key] == [first]
    await given.company.refresh()
    assert await works(given)
    kinds = await own_world.kinds()
    assert kinds[Event.KEY_SIGNING_REVOKED.value] == kinds[Event.KEY_SIGNING_ANNOUNCED.value] == 1


async def suspended(world: World, *, active: bool = False) -> None:
    """What `mydata client suspend` (or resume) does, at this moment."""
    keys = load_keys(world.folder / "keys")
    journal = Journal(SubjectKeys(keys.subject_kek), "command")
    async with world.database.transaction() as session:
        if active:
            await clients.resume(session, "deundeun-budget", at=world.clock.seconds)
        else:
            await clients.suspend(session, "deundeun-budget", at=world.clock.seconds)
            await end_of_client(session, journal, "deundeun-budget", world.clock.seconds)


async def test_a_suspended_client_is_stopped_at_every_door(own_world: World) -> None:
    """Bearer, token, PAR and a running transfer, from the commit on; lifted, what lives opens doors again."""
    given = await own_world.given()
    for faults in own_world.faults.values():
        faults.add(Fault.SLOW, seconds=2.0)
    running = await given.company.ask_transfer()
    await asyncio.sleep(0.3)
    await suspended(own_world)
    company = given.company
    for door in (company.refresh, lambda: company.push(own_world.asked()), company.ask_transfer):
        with pytest.raises(CompanyError) as refused:
            await door()
        assert (refused.value.status, refused.value.body.get("error", "client_suspended")) in (
            (401, "invalid_client"),
            (401, "client_suspended"),
        )
    for _ in range(200):
        rows: list[dict[str, Any]] = await own_world.rows("transfer")
        if not own_world.parts.worker._carried:
            break
        await asyncio.sleep(0.05)
    assert [(row["state"], row["reason"]) for row in rows] == [("cancelled", "client_suspended")]
    assert await own_world.rows("bundle") == []
    own_world.calm()
    await suspended(own_world, active=True)
    assert (await given.company.transfer(running["id"]))["state"] == "cancelled"
    await given.company.refresh()
    again = await given.company.ask_transfer()
    assert (await own_world.settled(given.company, again))["state"] == "ready"
