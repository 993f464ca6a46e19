"""Narrowing what is paused, over HTTP: it becomes smaller, stays paused, goes on as little as was left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.demo.browser import Page
from gateway.demo.company import CompanyError
from tests.flows.chosen import BANK, BILLS, everything, others, question, sent
from tests.flows.test_paused import said
from tests.world import Given, World, open_world


@pytest.fixture
async def paused(tmp_path: Path, store_url: str | None) -> AsyncIterator[tuple[World, Given, list[str]]]:
    """A world in which a person with two accounts agreed to both, and paused."""
    async with open_world(tmp_path, store_url, count=13) as world:
        asked = await question(world)
        boxes = asked.boxes(BANK)
        given = await asked.agreed(account=[*boxes, *everything(asked, BILLS)])
        await said(world, given, "pause")
        yield world, given, boxes


async def _narrowed(world: World, given: Given, box: str) -> Page:
    browser = given.citizen.browser
    page = await browser.open(f"{world.origin}/my/consents/{given.consent_id}/narrow")
    assert page.url.endswith("/narrow")
    looked = {"decision": "look", "account": [box, *others(page, BANK)]}
    changes = await browser.submit(page, page.form("version"), looked)
    assert "지금은 멈춰 있어 아무것도 보내지 않아요" in page.words
    assert "확인해도 멈춘 채로 있어요" in changes.words
    assert "계속 보내는 것" not in changes.words
    return await browser.submit(changes, changes.form("version"), {"decision": "narrow"})


async def test_row_8_a_paused_consent_can_be_narrowed(paused: tuple[World, Given, list[str]]) -> None:
    """The page leads there; it is one version more, still paused; resumed, only what was left is sent."""
    world, given, boxes = paused
    detail = await given.citizen.look(given.consent_id)
    assert any(link.endswith("/narrow") for link in detail.links)
    done = await _narrowed(world, given, boxes[1])
    assert done.url.endswith("/narrowed"), done.words[:400]
    assert "지금은 멈춰 있어요" in done.words
    (row,) = await world.rows("consent")
    assert row["state"] == "paused"
    with pytest.raises(CompanyError) as caught:
        await given.company.refresh()
    assert caught.value.code == "consent_paused"
    await said(world, given, "resume")
    await given.company.refresh()
    _, _, rows = await sent(world, given)
    assert len(rows[BANK]) == len(world.sandbox.people[12].accounts[1].transactions)
