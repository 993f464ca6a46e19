"""Putting a decision off, naming a delegate, a withdrawal on its way: sound in every look."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import visit
from tests.browser.test_consent_page import named, sound
from tests.browser.test_rights_pages_browser import LOOKS
from tests.citizen_stage import CitizenStage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_a_decision_put_off_is_sound(
    stage: CitizenStage, chromium: Browser, look: dict[str, Any]
) -> None:
    """Later is as easy as yes and no; the overview leads back to the question."""
    name = f"later-{named(look)}"
    async with visit(stage, chromium, **look) as seen:
        page = await seen.question()
        await page.locator("button[value=later]").click()
        await page.wait_for_url("**/later")
        await sound(seen, f"{name}-1-later")
        await page.goto(f"{stage.origin}/my/consents")
        await sound(seen, f"{name}-2-waiting")
        await page.locator("a[href*='/consent/']").first.click()
        await expect(page.locator("button[value=agree]")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_naming_a_delegate_is_sound(
    stage: CitizenStage, chromium: Browser, look: dict[str, Any]
) -> None:
    """What a delegate may do is chosen, nothing ticked before; a code is shown once."""
    name = f"delegates-{named(look)}"
    async with visit(stage, chromium, **look) as seen:
        page = await seen.question()
        await page.goto(f"{stage.origin}/my/delegates")
        await expect(page.locator("input[type=checkbox]").first).not_to_be_checked()
        await sound(seen, f"{name}-1-name")


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_a_withdrawal_on_its_way_is_sound(
    stage: CitizenStage, chromium: Browser, look: dict[str, Any]
) -> None:
    """Stopping and deleting are told apart; afterwards each party and its answer stand there by name."""
    name = f"ending-{named(look)}"
    async with visit(stage, chromium, **look) as seen:
        page = await seen.question()
        await page.locator("button[value=agree]").click()
        await page.locator(".reference").wait_for()
        await page.goto(f"{stage.origin}/my/consents")
        await page.locator("h2 a").first.click()
        await page.locator("a[href$='/withdraw']").first.click()
        await sound(seen, f"{name}-1-withdraw")
        await page.locator("button[value=withdraw]").click()
        await page.locator(".reference").wait_for()
        await sound(seen, f"{name}-2-withdrawn")
        await page.goto(f"{stage.origin}/my/consents")
        await page.locator("h2 a").first.click()
        await sound(seen, f"{name}-3-detail")
