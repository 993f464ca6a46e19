"""The company's half where the gateway demands DPoP nonces: it learns them as it goes (RFC 9449 8, 9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.demo.company import CompanyError
from gateway.oauth.dpop_nonce import STRETCH_SECONDS
from tests.world import open_world


async def test_a_company_goes_the_whole_way_with_nonces(tmp_path: Path) -> None:
    """From push to bundle, also after its nonce has grown old; a refusal for another reason is sent once."""
    async with open_world(tmp_path, dpop_nonce="required") as world:
        company, citizen = await world.company(), await world.citizen("p01")
        await world.given(company, citizen)
        status = await world.settled(company, await company.ask_transfer("order-4711"))
        assert status["state"] == "ready"
        await world.forward(3 * STRETCH_SECONDS)
        assert await company.download(status["bundle"].rsplit("/", 1)[1])
        await world.forward(3 * STRETCH_SECONDS)
        before = company.tokens["access_token"]
        assert (await company.refresh())["access_token"] != before
        company.tokens["refresh_token"] += "x"
        with pytest.raises(CompanyError) as refused:
            await company.refresh()
        assert refused.value.code != "dpop_nonce_needed"
