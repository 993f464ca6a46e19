"""The questionnaire and the published numbers on a phone, with scripts off; sound in every look."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from consent.catalogue import load as load_catalogue
from gateway.awareness import publishing
from gateway.awareness.window import GRACE_SECONDS, Month
from tests.browser.conftest import visit
from tests.browser.test_consent_page import named, sound
from tests.citizen_stage import CitizenStage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
LOOKS: list[dict[str, Any]] = [
    {"language": "ko", "width": 360, "color_scheme": "dark"},
    {"language": "ko", "width": 180, "color_scheme": "dark", "device_scale_factor": 2},
    {"language": "en", "width": 320},
]
"""360 px at a zoom of 200 % leaves 180 px of CSS."""


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_the_questionnaire_is_sound(
    stage: CitizenStage, chromium: Browser, look: dict[str, Any]
) -> None:
    """Closed until opened, answered with one press; afterwards a page of thanks."""
    name = f"questionnaire-{named(look)}"
    async with visit(stage, chromium, **look) as seen:
        page = await seen.question()
        await page.locator("button[value=agree]").click()
        await page.locator(".reference").wait_for()
        await expect(page.locator("form[action='/questionnaire'] button")).to_be_hidden()
        await page.locator("details summary").last.click()
        await sound(seen, f"{name}-1-grant")
        await page.locator("select[name=free]").select_option("yes")
        await page.locator("form[action='/questionnaire'] button").click()
        await page.wait_for_url("**/questionnaire/thanks")
        await sound(seen, f"{name}-2-thanks")


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_the_published_numbers_are_sound(
    stage: CitizenStage, chromium: Browser, look: dict[str, Any]
) -> None:
    """A list of months, and every number of one in words."""
    month = Month.of(stage.now)
    now = month.end + GRACE_SECONDS
    await publishing.publish(
        stage.database, publishing.Publisher(stage.journal, "operator"), load_catalogue(), month, now
    )
    async with visit(stage, chromium, **look) as seen:
        await seen.page.goto(f"{stage.origin}/statistics")
        await sound(seen, f"published-{named(look)}-1")
        await seen.page.locator(f"a[href$='/use/{month.name}']").click()
        await seen.page.locator("dl").first.wait_for()
        await sound(seen, f"published-{named(look)}-2-use")
        await seen.page.goto(f"{stage.origin}/statistics/questionnaire/{month.name}")
        await sound(seen, f"published-{named(look)}-3-answers")
