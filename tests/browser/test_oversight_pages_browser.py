"""A regulator's pages on a phone, with scripts off: list, replay and what-if, sound in every look."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from gateway.ledger.readers import Reader, Readers
from gateway.policy import revisions
from gateway.policy.bundle import load
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.memory import Memory
from gateway.policy.record import record
from gateway.web import oversight
from gateway.web.reader_sessions import ReaderSessions
from tests.browser.conftest import visit
from tests.browser.test_consent_page import named, sound
from tests.citizen_stage import CitizenStage
from tests.policy.table import rows

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
LOOKS: list[dict[str, Any]] = [
    {"language": "ko", "width": 360},
    {"language": "en", "width": 320},
    {"language": "ko", "width": 360, "color_scheme": "dark"},
]
TOKEN = "a token of the regulator"


async def decided(stage: CitizenStage, count: int) -> None:
    """Some decisions of a week ago, allowed and denied, and the pages that show them."""
    engine = EmbeddedEngine(load())
    async with stage.database.transaction() as session:
        await revisions.keep(session, load(), at=stage.now)
        for row in rows()[:count]:
            decision = await engine.decide(row.question)
            await record(session, row.question, decision, at=stage.clock() - timedelta(7), seal=None)
    token = hashlib.sha256(TOKEN.encode()).hexdigest()
    readers = Readers((Reader("fsc", "금융위원회", token, ("decisions", "what-if")),))
    memory = Memory(stage.database, stage.journal, stage.clock, lambda: None)
    sessions = ReaderSessions(readers, b"s" * 32, stage.clock, secure=stage.site.secure)
    pages = oversight.Oversight(stage.site.renderer, memory, sessions, stage.clock)
    found = oversight.routes(pages, stage.site.renderer, secure=stage.site.secure)
    stage.app.router.routes.extend(found)


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_oversight_is_sound(stage: CitizenStage, chromium: Browser, look: dict[str, Any]) -> None:
    """Signing in, a wrong token, the list and its next page, a replay, another policy on past weeks."""
    if not await stage.rows("policy_decision"):
        await decided(stage, 30)
    name = f"oversight-{named(look)}"
    async with visit(stage, chromium, **look) as seen:
        page = seen.page
        await page.goto(f"{stage.origin}/oversight")
        await sound(seen, f"{name}-1-sign-in")
        await page.locator("#token").fill(TOKEN)
        await page.locator("main button").click()
        await expect(page.locator("li.card")).to_have_count(20)
        await sound(seen, f"{name}-2-list")
        await page.locator("a[rel=next]").click()
        await expect(page.locator("li.card")).to_have_count(10)
        await page.locator("li.card a").last.click()
        await expect(page.locator("main code")).not_to_have_count(0)
        await sound(seen, f"{name}-3-replay")
        await page.goto(f"{stage.origin}/oversight/what-if")
        await page.locator("#weeks").select_option("2")
        await page.locator("#first").select_option(index=1)
        await page.locator("form[method=get] button").click()
        await expect(page.locator("main h2")).to_have_count(2)
        await sound(seen, f"{name}-4-what-if")
