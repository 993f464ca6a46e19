"""Everything that ends one grant at the same moment: nobody waits for ever, nothing is half done."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from consent.events import Event
from gateway.demo.citizen import Wishes
from tests.flows.messages import token
from tests.world import World


async def test_whatever_ends_a_grant_at_once(own_world: World) -> None:
    """Refresh, revocation, DELETE and withdrawal side by side: one order of locks, no error of ours."""
    world = own_world
    given = await world.given(asked=world.asked()[:1], wishes=Wishes(items=()))
    company, browser = given.company, given.citizen.browser
    refresh, grant_id = given.tokens["refresh_token"], given.tokens["grant_id"]
    made = await token(company, grant_type="client_credentials", scope="grant_management_revoke")
    company.tokens = made.json()
    page = await browser.open(f"{world.origin}/my/consents/{given.consent_id}/withdraw")

    async def withdraw() -> Any:
        return await browser.submit(page, page.form("decision"), {"decision": "withdraw"})

    async def give_up() -> httpx.Response:
        url = f"{world.origin}/revoke"
        fields = {"client_id": company.client_id, "token": refresh, **company._assertion()}
        return await company.http.post(url, data=fields)

    def delete() -> Any:
        return company.call("DELETE", f"{world.origin}/grants/{grant_id}")

    def again() -> Any:
        return token(company, grant_type="refresh_token", refresh_token=refresh)

    calls = [call() for _ in range(4) for call in (again, give_up, delete)]
    answers = await asyncio.gather(*calls, withdraw())

    statuses = {a.status if hasattr(a, "status") else a.status_code for a in answers}
    assert statuses <= {200, 204, 400}, statuses
    (consent,) = await world.rows("consent")
    assert consent["state"] in {"withdrawing", "revoked"}
    assert consent["version"] == 2
    (grant,) = await world.rows("oauth_grant")
    assert grant["revoked_at"] is not None
    kinds = await world.kinds()
    assert kinds[Event.CONSENT_GRANT_WITHDRAWN] + kinds[Event.CONSENT_GRANT_REVOKED] == 1
    assert kinds[Event.TOKEN_REFRESH_REVOKED] == 1
    assert len(await world.rows("holder_notice")) == 1
