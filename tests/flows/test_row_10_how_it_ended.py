"""Rows 10 and 13: withdrawn, revoked, expired and invalidated are told apart, with who and why."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import yaml

from consent.events import Event
from gateway.cli import main
from gateway.demo.company import CompanyError
from gateway.oauth.openid_request import REVOKE
from tests.world import SECOND, Given, World


async def operator(world: World, *words: str) -> int:
    """What the operator's command ends with, beside the running gateway."""
    file = world.folder / "gateway.yaml"
    settings = {
        "profile": "demo", "issuer": world.settings.issuer, "database": world.settings.database,
        "keys": str(world.settings.keys), "registry": str(world.settings.registry),
    }  # fmt: skip
    file.write_text(yaml.safe_dump(settings))
    return await asyncio.to_thread(main, ["consent", *words, "--config", str(file)])


async def closed(given: Given, code: str) -> None:
    """Nothing can be had with the old token."""
    with pytest.raises(CompanyError) as refused:
        await given.company.ask_transfer()
    assert refused.value.code == code


async def only(world: World) -> dict[str, Any]:
    """The one consent."""
    (row,) = await world.rows("consent")
    return row


async def test_row_10_an_operator_invalidates_with_a_reason(own_world: World) -> None:
    """Dead with the commit, entered once; the page says who and why; ending it again changes nothing."""
    world = own_world
    given = await world.given()
    await world._holders_told()
    assert await operator(world, "invalidate", given.consent_id, "--why", "wrong_person") == 0
    row = await only(world)
    assert (row["state"], row["by"], row["why"]) == ("invalidated", "operator", "wrong_person")
    await closed(given, "consent_not_active")
    page = await given.citizen.look(given.consent_id)
    for words in ("무효가 됐어요", "운영 기관이", "본인이 한 동의가 아니었어요"):
        assert words in page.words, words
    entries = await world.entries()
    assert await operator(world, "invalidate", given.consent_id, "--why", "fraud") == 0
    assert await operator(world, "revoke", given.consent_id, "--why", "fraud") == 0
    assert await only(world) == row
    assert (await world.kinds())[Event.CONSENT_GRANT_INVALIDATED] == 1
    assert await world.entries() <= entries + 5, "only the holders' acknowledgements came meanwhile"
    assert await operator(world, "revoke", "c-unknown", "--why", "fraud") == 2


async def test_row_10_the_operator_and_the_company_revoke_with_different_words(own_world: World) -> None:
    """Revoked by whom and why is kept and shown; the citizen's own withdrawal reads otherwise."""
    world = own_world
    given = await world.given()
    assert await operator(world, "revoke", given.consent_id, "--why", "contract_ended") == 0
    row = await only(world)
    assert (row["state"], row["by"], row["why"]) == ("revoked", "operator", "contract_ended")
    page = await given.citizen.look(given.consent_id)
    assert "운영 기관이 동의를 끝냈어요" in page.words
    assert "계약이 끝났어요" in page.words


async def managed(given: Given, reason: str) -> int:
    """What the company gets for giving its grant up for `reason`."""
    own = given.company
    own.tokens = await own._token(grant_type="client_credentials", scope=REVOKE)
    place = f"{own.issuer}/grants/{given.tokens['grant_id']}?reason={reason}"
    return (await own.call("DELETE", place)).status_code


async def test_row_13_recipient_level_revoke_without_holder_level(own_world: World) -> None:
    """A company gives up one consent, with its reason; the same holders go on under another company's."""
    world = own_world
    given = await world.given()
    other = await world.given(await world.company(SECOND), given.citizen)
    async with world.unchanged(entries=1):
        assert await managed(given, "because") == 400
    assert await managed(given, "service_ended") == 204
    rows = {row["id"]: row for row in await world.rows("consent")}
    ended, living = rows[given.consent_id], rows[other.consent_id]
    assert (ended["state"], ended["by"], ended["why"]) == ("revoked", "recipient", "service_ended")
    assert living["state"] == "active"
    assert {row["kind"] for row in await world.rows("ending_party")} == {"holder"}, "the company knows"
    done = await world.settled(other.company, await other.company.ask_transfer())
    assert done["state"] == "ready"
    assert "회사가 서비스를 끝냈어요" in (await given.citizen.look(given.consent_id)).words
