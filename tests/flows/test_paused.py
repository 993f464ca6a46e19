"""A paused consent at every door, over HTTP: nothing flows, nothing is used up, and it goes on where it was.

Rows 8 and 9 of the comparison; AA certification: a paused consent gives InvalidConsentStatus.
"""

from __future__ import annotations

import asyncio

import pytest

from connectors.sandbox.faults import Fault
from consent.events import Event
from gateway.demo.citizen import Wishes
from gateway.demo.company import CompanyError
from tests.world import Given, World, until

ONE = Wishes(items=())


async def said(world: World, given: Given, step: str) -> None:
    """The citizen opens the page of `step` and confirms."""
    browser = given.citizen.browser
    page = await browser.open(f"{world.origin}/my/consents/{given.consent_id}/{step}")
    done = await browser.submit(page, page.form("version"), {"decision": step})
    assert done.status == 200, done.words[:300]


async def at_bank(world: World) -> Given:
    """A consent for one holder."""
    asked = [one for one in world.asked() if one["holder"] == "hanbit-bank"]
    return await world.given(asked=asked, wishes=ONE)


async def test_row_8_a_paused_consent_gives_nothing_at_any_door(own_world: World) -> None:
    """Transfer, bundle, introspection, pre-check and refresh say `consent_paused`; the holder hears of it."""
    world = own_world
    given = await at_bank(world)
    company = given.company
    transfer = await world.settled(company, await company.ask_transfer())
    await said(world, given, "pause")

    for method, path in (
        ("POST", "/transfers"),
        ("GET", f"/transfers/{transfer['id']}"),
        ("GET", transfer["bundle"].removeprefix(world.origin)),
    ):
        key = {"Idempotency-Key": "while-paused"}
        refused = await company.call(method, f"{world.origin}{path}", headers=key)
        assert (refused.status_code, refused.json()["code"]) == (401, "consent_paused"), path
    for token in (given.tokens["access_token"], given.tokens["refresh_token"]):
        told = await company._post(f"{world.origin}/introspect", {"token": token})
        assert told == {"active": False}
    with pytest.raises(CompanyError) as caught:
        await company.refresh()
    assert (caught.value.code, caught.value.status) == ("consent_paused", 400)
    (notice,), (consent,) = await world.rows("holder_notice"), await world.rows("consent")
    assert (notice["event"], notice["version"]) == ("paused", consent["version"])


async def test_row_9_after_resuming_the_same_refresh_token_goes_on(own_world: World) -> None:
    """The refusal used nothing up; the token of before stays dead; the bundle waited behind the door."""
    world = own_world
    given = await at_bank(world)
    company, before = given.company, given.tokens
    transfer = await world.settled(company, await company.ask_transfer())
    await said(world, given, "pause")
    with pytest.raises(CompanyError):
        await company.refresh()
    await said(world, given, "resume")

    stale = await company.call("GET", transfer["bundle"])
    assert (stale.status_code, stale.json()["code"]) == (401, "consent_changed")
    fresh = await company.refresh()
    assert fresh["authorization_details"] == before["authorization_details"]
    assert fresh["grant_id"] == before["grant_id"]
    assert (await company.call("GET", transfer["bundle"])).status_code == 200
    kinds = await world.kinds()
    assert (kinds[Event.CONSENT_GRANT_PAUSED], kinds[Event.CONSENT_GRANT_RESUMED]) == (1, 1)
    await world.forward(8 * 86_400)
    await company.refresh()
    after = await world.settled(company, await company.ask_transfer("after-the-pause"))
    assert after["state"] == "ready"


async def test_a_transfer_under_way_stops_with_the_pause(own_world: World) -> None:
    """What was being pulled is called off with the reason; nothing of it is sealed."""
    world = own_world
    given = await at_bank(world)
    world.faults["hanbit-bank"].add(Fault.SLOW, path="/v1", seconds=2.0)
    transfer = await given.company.ask_transfer()
    await until(lambda: bool(world.parts.worker._carried))
    await said(world, given, "pause")
    world.calm()
    await until(lambda: not world.parts.worker._carried)
    (row,) = await world.rows("transfer")
    assert (row["id"], row["state"], row["reason"]) == (transfer["id"], "cancelled", "consent_paused")
    assert await world.rows("bundle") == []


async def test_a_holder_that_was_told_late_is_right_in_the_end(own_world: World) -> None:
    """It heard of neither pause nor end while it was down; both reach it, in whatever order."""
    world = own_world
    given = await at_bank(world)
    world.faults["hanbit-bank"].add(Fault.DOWN)
    await said(world, given, "pause")
    await said(world, given, "resume")
    world.calm()
    for _ in range(100):
        await world.parts.notices.send_due()
        if {row["state"] for row in await world.rows("holder_notice")} == {"acknowledged"}:
            break
        await world.forward(5)
        await asyncio.sleep(0.05)
    await given.company.refresh()
    after = await world.settled(given.company, await given.company.ask_transfer("after-all"))
    assert after["state"] == "ready"
