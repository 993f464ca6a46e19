"""The whole story under a signing key in another machine: every signature is made there."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.database import in_transaction
from gateway.keys.manifest import ANNOUNCE_SECONDS
from gateway.keys.vault import VaultCustody
from tests.authority import make_authority
from tests.flows.test_bad_holders import opened
from tests.flows.test_keys_move import elsewhere, kid_of
from tests.transit import transit
from tests.world import World


async def test_tokens_bundles_and_receipts_signed_elsewhere(own_world: World, tmp_path: Path) -> None:
    """Tokens, bundle and receipt verify under the key of the engine, which holds its only private half."""
    authority = make_authority(tmp_path)
    house = own_world.parts.rotation.house
    assert house is not None
    async with transit(authority) as engine:
        tls = authority.client_context()
        custody = VaultCustody(engine.url, lambda: engine.token, tls, refuse=in_transaction)
        house._places = {**house._places, "vault": custody}
        house._make_in = "vault"
        made = await asyncio.to_thread(house.rotate, "ES256", own_world.clock.seconds)
        assert elsewhere(own_world).manifest.find(made.kid) is not None
        await own_world.forward(ANNOUNCE_SECONDS)
        await own_world.parts.rotation.once()
        given = await own_world.given()
        assert kid_of(given.tokens["access_token"]) == made.kid
        transfer = await own_world.settled(given.company, await given.company.ask_transfer())
        assert transfer["state"] == "ready"
        manifest, parts = await opened(own_world, given, transfer)
        assert manifest["issuer"] == own_world.origin
        assert parts
        receipt = await given.citizen.browser.http.get(
            f"{own_world.origin}/my/consents/{given.consent_id}/receipt"
        )
        assert kid_of(receipt.text) == made.kid
        assert engine.signed == 3
        await asyncio.to_thread(custody.close)
