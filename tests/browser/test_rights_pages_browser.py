"""Asking for one's own data and the inbox on a phone, with scripts off; sound in every look."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from consent import notices
from consent.notices import NoticeKind
from consent.subjects import SubjectId
from tests.browser.conftest import visit
from tests.browser.test_consent_page import named, sound
from tests.citizen_stage import CitizenStage
from tests.unit.gateway.web.test_rights_pages import State, asked

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
LOOKS: list[dict[str, Any]] = [
    {"language": "ko", "width": 360},
    {"language": "en", "width": 320},
    {"language": "ko", "width": 360, "color_scheme": "dark"},
]


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_rights_and_notices_are_sound(
    stage: CitizenStage, chromium: Browser, look: dict[str, Any]
) -> None:
    """What can be asked on which ground, nothing ticked; a request that is ready; the inbox."""
    name = f"rights-{named(look)}"
    async with visit(stage, chromium, **look) as seen:
        page = await seen.question()
        await page.locator("button[value=agree]").click()
        await page.locator(".reference").wait_for()
        await page.goto(f"{stage.origin}/my/rights")
        await expect(page.locator("input[name=item]").first).not_to_be_checked()
        await sound(seen, f"{name}-1-ask")
        row = max(await stage.rows("consent"), key=lambda found: found.created_at)
        subject = SubjectId(row.subject_id)
        async with stage.database.transaction() as session:
            await notices.leave(session, subject, NoticeKind.REMINDER, f"{row.id}#1", stage.now)
        one = await asked(stage, subject, State.READY)
        await page.goto(f"{stage.origin}/my/rights/{one.id}")
        await expect(page.locator("form[action$='/file'] button")).to_be_visible()
        await sound(seen, f"{name}-2-ready")
        await page.locator("form[action$='/cancel'] button").click()
        await expect(page.locator("form[action$='/file']")).to_have_count(0)
        await page.goto(f"{stage.origin}/my/notices")
        await expect(page.locator("li.card")).not_to_have_count(0)
        await sound(seen, f"{name}-3-notices")
