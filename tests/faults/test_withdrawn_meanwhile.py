"""Withdrawn while holders are being pulled: the transfer is cancelled, no byte is kept or released."""

from __future__ import annotations

import pytest

from connectors.sandbox.faults import Fault
from consent.events import Event
from gateway.demo.company import CompanyError
from tests.world import World, until


async def test_withdrawn_during_a_pull(own_world: World) -> None:
    """Cancelled with the reason; no bundle, no release entry; the holder is told and asked nothing more."""
    world = own_world
    given = await world.given()
    await world._holders_told()
    for faults in world.faults.values():
        faults.requests.clear()
    bank = world.faults["hanbit-bank"]
    bank.add(Fault.SLOW, path="/v1", seconds=0.3)
    await given.company.ask_transfer("withdrawn-meanwhile")
    await until(lambda: any(path.startswith("/v1") for path in bank.requests))

    page = await given.citizen.withdraw(given.consent_id)

    assert page.status == 200
    (transfer,) = await world.rows("transfer")
    assert (transfer["state"], transfer["reason"]) == ("cancelled", "consent_withdrawn")
    await until(lambda: all("/consent-notices" in faults.requests for faults in world.faults.values()))
    before = len(bank.requests)
    bank.clear()
    assert await world.rows("bundle") == []
    kinds = await world.kinds()
    assert kinds[Event.BUNDLE_RELEASE_SEALED] == 0
    assert kinds[Event.CONSENT_GRANT_WITHDRAWN] == 1
    assert len(bank.requests) <= before + 1
    with pytest.raises(CompanyError, match="consent_withdrawn"):
        await given.company.transfer(transfer["id"])


async def test_withdrawn_after_sealing_before_delivery(own_world: World) -> None:
    """A bundle that lies ready when the citizen withdraws is emptied with the withdrawal itself."""
    world = own_world
    given = await world.given()
    transfer = await world.settled(given.company, await given.company.ask_transfer("lies-ready"))
    assert (await world.rows("bundle"))[0]["sealed"]

    await given.citizen.withdraw(given.consent_id)

    assert all(not row["sealed"] for row in await world.rows("bundle"))
    response = await given.company.call("GET", transfer["bundle"])
    assert response.json()["code"] == "consent_withdrawn"
    assert (await world.kinds())[Event.BUNDLE_DELIVERY_SENT] == 0
