"""InvalidConsentUse at the real door: what goes on a cycle goes once a cycle."""

from __future__ import annotations

import pytest

from gateway.demo.company import CompanyError
from tests.world import World


async def test_aa_over_frequency_is_refused_at_the_door(own_world: World) -> None:
    """What is weekly goes once, and a day later is refused as too soon; nothing but the refusal is kept."""
    world, given = own_world, await own_world.given()
    first = await world.settled(given.company, await given.company.ask_transfer("the-first-of-the-week"))
    assert first["state"] == "ready"
    await world.forward(86_400)
    await given.company.refresh()
    async with world.unchanged(entries=20):
        with pytest.raises(CompanyError) as caught:
            await given.company.ask_transfer("too-soon-after-it")
    assert caught.value.code == "transfer_refused"
    codes = {one["code"] for one in caught.value.body["params"]["reasons"]}
    assert "too_soon" in codes, codes
