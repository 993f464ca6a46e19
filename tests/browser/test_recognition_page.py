"""Being recognised and signing out, on a phone: the item of its own, its box, the confirmation."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import visit
from tests.browser.test_consent_page import named, sound
from tests.citizen_stage import CitizenStage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
LOOKS: list[dict[str, Any]] = [
    {"language": "ko", "width": 360},
    {"language": "en", "width": 360},
    {"language": "ko", "width": 320, "color_scheme": "dark"},
]


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_recognition_and_sign_out_are_sound(
    stage: CitizenStage, chromium: Browser, look: dict[str, Any]
) -> None:
    """Nothing is cut, nothing ticked beforehand, and every page passes the same looks as the others."""
    async with visit(stage, chromium, **look) as seen:
        page = seen.page
        await page.goto(await stage.ask(scope="openid profile"))
        await page.locator("main a.button").click()
        await page.locator("button[value=p02]").click()
        await page.locator("#consent").wait_for()
        box = page.locator("input[name=claim]")
        await expect(box).not_to_be_checked()
        await sound(seen, f"recognition-{named(look)}")
        await page.goto(f"{stage.origin}/logout?state=s")
        await sound(seen, f"logout-{named(look)}")
        await page.locator("button[value=sign-out]").click()
        await page.locator("h1").wait_for()
        await sound(seen, f"logged-out-{named(look)}")
        assert seen.complaints == []
