"""Narrowing a consent on a phone: unticking, seeing what changes, one confirmation; sound in every look."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import visit
from tests.browser.test_consent_page import named, sound
from tests.citizen_stage import ASKED, CitizenStage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
LOOKS: list[dict[str, Any]] = [
    {"language": "ko", "width": 360},
    {"language": "en", "width": 320},
    {"language": "ko", "width": 360, "color_scheme": "dark"},
]


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_narrowing_is_sound_and_needs_no_script(
    stage: CitizenStage, chromium: Browser, look: dict[str, Any]
) -> None:
    """From the consent to the narrower one with scripts off: 44 px targets, axe clean, nothing sideways."""
    name = f"narrow-{named(look)}"
    async with visit(stage, chromium, **look) as seen:
        page = await seen.question()
        for box in await page.locator("section[aria-labelledby=optional] input[name=item]").all():
            await box.check()
        await page.locator("button[value=agree]").click()
        await page.locator(".reference").wait_for()
        await page.goto(f"{stage.origin}/my/consents")
        await page.locator("h2 a").first.click()
        await page.locator("a[href$='/narrow']").click()
        await page.wait_for_url("**/narrow")
        await sound(seen, f"{name}-1")
        assert await page.locator("input[name=item]:not(:checked)").count() == 0
        await page.locator("details summary").nth(1).click()
        await seen.shoot(f"{name}-2-parts")
        await page.locator("button[value=look]").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        seen.complaints = [said for said in seen.complaints if "422" not in said]
        await sound(seen, f"{name}-3-nothing")
        await page.locator("input[name=item]").first.uncheck()
        await page.locator("button[value=look]").click()
        await page.locator("button[value=narrow]").wait_for()
        await sound(seen, f"{name}-4-changes")
        await page.locator("button[value=narrow]").click()
        await page.wait_for_url("**/narrowed")
        await sound(seen, f"{name}-5-done")


async def test_a_merge_shows_what_stays(stage: CitizenStage, chromium: Browser) -> None:
    """A request for more names what was agreed before and what stays of it."""
    async with visit(stage, chromium) as seen:
        page = await seen.question()
        await page.locator("button[value=agree]").click()
        await page.locator(".reference").wait_for()
        grant = max(await stage.rows("oauth_grant"), key=lambda row: row.created_at)
        wider = (*ASKED, ("nuri-telecom", "telecom.contracts", False, "once"))
        more = await stage.ask(wider, grant_management_action="merge", grant_id=grant.id)
        await page.goto(more)
        await page.locator("#consent").wait_for()
        await expect(page.get_by_role("heading", name="전에 동의한 것")).to_be_visible()
        await sound(seen, "merge-ko-360")
