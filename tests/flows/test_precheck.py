"""A company asks before it asks: the pre-check and the AuthZEN doors say what a transfer would come to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.demo.participants import CLIENT
from tests.world import World, open_world

PAID = "nuri-telecom/telecom.paid-transactions"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A world."""
    async with open_world(tmp_path) as opened:
        yield opened


async def test_it_says_what_the_transfer_then_does(world: World) -> None:
    """Same items granted, same ones kept back for the same reasons; and asking before moves nothing."""
    given = await world.given()
    world.clock.freeze()
    async with world.unchanged(entries=0):
        answer = await given.company.call("POST", f"{world.origin}/precheck", json={})
    assert answer.status_code == 200
    said = answer.json()
    assert await world.rows("policy_decision") == []
    transfer = (await given.company.ask_transfer(key="the-real-one"))["decision"]
    assert said["allow"] is True
    assert sorted(f"{g['holder']}/{g['dataset']}" for g in said["granted"]) == sorted(transfer["granted"])
    assert said["withheld"] == transfer["withheld"]
    assert said["obligations"] == transfer["obligations"]
    (kept,) = (one for one in said["withheld"] if one["item"] == PAID)
    assert kept["code"] == "periodic_to_general_recipient"
    assert "42-5(3)" in kept["article"]
    assert kept["text"]

    again = await given.company.call("POST", f"{world.origin}/precheck", json={"items": [PAID]})
    assert again.json()["allow"] is False


async def test_authzen_asks_the_same_policy(world: World) -> None:
    """Allowed for its own grant, denied for another's, another action, another purpose; 400 for noise."""
    given = await world.given()
    door = f"{world.origin}/access/v1/evaluation"
    asked = {
        "subject": {"type": "client", "id": CLIENT},
        "action": {"name": "transfer"},
        "resource": {"type": "personal_data", "id": given.consent_id},
    }
    answer = await given.company.call("POST", door, json=asked, headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer.json()["decision"]) == (200, True)
    assert answer.headers["x-request-id"] == "mine"
    context = answer.json()["context"]
    assert {o["type"] for o in context["obligations"]} == {"custom", "notification"}
    for change in (
        {"subject": {"type": "client", "id": "somebody-else"}},
        {"resource": {"type": "personal_data", "id": "c-other"}},
        {"action": {"name": "delete"}},
        {"action": {"name": "transfer", "properties": {"purpose": "health-coaching"}}},
        {"resource": {**asked["resource"], "properties": {"items": [PAID]}}},
        {"resource": {**asked["resource"], "properties": {"items": ["no/such"]}}},
    ):
        denied = await given.company.call("POST", door, json={**asked, **change})
        assert (denied.status_code, denied.json()["decision"]) == (200, False), change
    assert (await given.company.call("POST", door, json={"subject": {}})).status_code == 400
    assert (await world.http.post(door, json=asked)).status_code == 401
    batch = await given.company.call("POST", f"{door}s", json={**asked, "evaluations": [{}, {}]})
    assert [one["decision"] for one in batch.json()["evaluations"]] == [True, True]

    await given.citizen.withdraw(given.consent_id)
    assert (await given.company.call("POST", door, json=asked)).status_code == 401
    metadata = (await world.http.get(f"{world.origin}/.well-known/authzen-configuration")).json()
    assert metadata["access_evaluation_endpoint"] == door
