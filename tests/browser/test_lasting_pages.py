"""Pausing, going on, renewing and the list on a phone, with scripts off; sound in every look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import visit
from tests.browser.test_consent_page import named, sound
from tests.citizen_stage import CitizenStage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
LOOKS: list[dict[str, Any]] = [
    {"language": "ko", "width": 360},
    {"language": "en", "width": 320},
    {"language": "ko", "width": 360, "color_scheme": "dark"},
]


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_pausing_and_going_on_are_sound(
    stage: CitizenStage, chromium: Browser, look: dict[str, Any]
) -> None:
    """One confirmation each; the list shows it paused, by a link of its own, and how to go on."""
    name = f"lasting-{named(look)}"
    async with visit(stage, chromium, **look) as seen:
        page = await seen.question()
        await page.locator("button[value=agree]").click()
        await page.locator(".reference").wait_for()
        await page.goto(f"{stage.origin}/my/consents")
        await page.locator("h2 a").first.click()
        await page.locator("a[href$='/pause']").click()
        await page.locator("button[value=pause]").wait_for()
        await sound(seen, f"{name}-1-pause")
        await page.locator("button[value=pause]").click()
        await page.locator("a[href$='/resume']").wait_for()
        await sound(seen, f"{name}-2-paused")
        await page.goto(f"{stage.origin}/my/consents?show=paused")
        await expect(page.locator(".state--paused").first).to_be_visible()
        await sound(seen, f"{name}-3-list")
        await page.locator("li.card a[href$='/resume']").first.click()
        await page.locator("button[value=resume]").wait_for()
        await sound(seen, f"{name}-4-resume")
        await page.locator("button[value=resume]").click()
        await page.locator("a[href$='/pause']").wait_for()


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_renewing_is_sound(stage: CitizenStage, chromium: Browser, look: dict[str, Any]) -> None:
    """What runs out, unticked; nothing chosen is told; what is ticked is renewed with one press."""
    name, before = f"renewals-{named(look)}", stage.at
    try:
        async with visit(stage, chromium, **look) as seen:
            page = await seen.question()
            await page.locator("button[value=agree]").click()
            await page.locator(".reference").wait_for()
        stage.later(days=165)
        async with visit(stage, chromium, **look) as seen:
            page = seen.page
            await page.goto(f"{stage.origin}/my/renewals")
            await page.locator("main a.button").click()
            await page.locator("button[value=p02]").click()
            await page.locator("button[value=renew]").wait_for()
            assert await page.locator("input[name=renew]:checked").count() == 0
            await page.locator("details summary").first.click()
            await sound(seen, f"{name}-1")
            await page.locator("button[value=renew]").click()
            await expect(page.get_by_role("alert")).to_be_visible()
            seen.complaints = [said for said in seen.complaints if "422" not in said]
            await sound(seen, f"{name}-2-nothing")
            await page.locator("input[name=renew]").first.check()
            await page.locator("button[value=renew]").click()
            await page.wait_for_url("**/my/renewals/done?**")
            await sound(seen, f"{name}-3-done")
    finally:
        stage.at = before + timedelta(seconds=1)
