"""A renewal at every door: the same refresh token lives on until the new end, and no longer than that."""

from __future__ import annotations

import pytest

from consent.calendar import day_ends
from consent.events import Event
from consent.items import from_details
from gateway.demo.citizen import Wishes
from gateway.demo.company import CompanyError
from tests.world import Given, World

DAY = 86_400


async def renewed(world: World, given: Given) -> None:
    """The citizen signs in again, opens what runs out, ticks it and confirms."""
    browser = given.citizen.browser
    page = await browser.open(f"{world.origin}/my/renewals")
    if any("/sign-in/start" in link for link in page.links):
        page = await given.citizen.sign_in(f"{world.origin}/my/renewals")
    done = await browser.submit(
        page, page.form("decision"), {"renew": [given.consent_id], "decision": "renew"}
    )
    assert "/my/renewals/done" in done.url, done.words[:300]


async def test_row_9_a_renewed_consent_goes_on_with_the_same_refresh_token(own_world: World) -> None:
    """Before: until the old end. After: the old access token is dead, a refresh gives the longer details."""
    world = own_world
    asked = [one for one in world.asked() if one["holder"] == "hanbit-bank"]
    given = await world.given(asked=asked, wishes=Wishes(items=()))
    company, refresh = given.company, given.tokens["refresh_token"]
    before = from_details(given.tokens["authorization_details"])
    told = await company._post(f"{world.origin}/introspect", {"token": refresh})
    assert told["exp"] == before.end_at

    await world.forward(before.end_at - world.clock.seconds - 10 * DAY)
    await renewed(world, given)
    told = await company._post(f"{world.origin}/introspect", {"token": refresh})
    fresh = await company.refresh()
    after = from_details(fresh["authorization_details"])
    assert after.end == before.end + (before.end - before.start)
    assert (told["active"], told["exp"]) == (True, day_ends(after.end))
    assert (after.items, after.start) == (before.items, before.start)
    assert (await world.kinds())[Event.CONSENT_GRANT_RENEWED] == 1
    (notice,) = await world.rows("holder_notice")
    assert notice["event"] == "renewed"

    await world.forward(20 * DAY)
    await company.refresh()
    assert (await world.settled(company, await company.ask_transfer("past-the-old-end")))["state"] == "ready"
    await world.forward(after.end_at - world.clock.seconds)
    with pytest.raises(CompanyError) as caught:
        await company.refresh()
    assert caught.value.code == "consent_expired"
