"""A page that asks again, on a phone: what was chosen is ticked, what is different stands on its item."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import visit
from tests.browser.test_consent_page import named, sound
from tests.browser.test_narrow_page import LOOKS
from tests.citizen_stage import ASKED, CitizenStage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_a_replacement_is_sound_and_ticks_what_was_chosen(
    stage: CitizenStage, chromium: Browser, look: dict[str, Any]
) -> None:
    """The chosen item is ticked, the new one is empty and says so; sound in every look, without scripts."""
    async with visit(stage, chromium, **look) as seen:
        page = await seen.question()
        await page.locator("section[aria-labelledby=optional] input[name=item]").first.check()
        await page.locator("button[value=agree]").click()
        await page.locator(".reference").wait_for()
        grant = max(await stage.rows("oauth_grant"), key=lambda row: row.created_at)
        wider = (*ASKED, ("nuri-telecom", "telecom.contracts", False, "once"))
        again = await stage.ask(wider, grant_management_action="replace", grant_id=grant.id)
        await page.goto(again)
        await page.locator("#consent").wait_for()
        await sound(seen, f"again-{named(look)}")
        await expect(page.locator("section[aria-labelledby=optional] input[name=item]").first).to_be_checked()
        assert await page.locator("input[name=item]:checked").count() == 1
        assert await page.locator("input[name=field]:checked").count() == 0
        await expect(page.locator("input[value='nuri-telecom/telecom.contracts']")).not_to_be_checked()
