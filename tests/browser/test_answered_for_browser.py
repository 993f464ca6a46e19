"""Acting for somebody on a phone: whose data it is, the question, what was answered; in every look."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, expect

from tests.browser.looking import LOOKS, both, looked_at, signed_in
from tests.browser.test_consent_page import named, sound
from tests.citizen_stage import CitizenStage
from tests.unit.gateway.web.test_delegates import Pair, code_of
from tests.unit.gateway.web.test_delegates import signed_in as person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(stage: CitizenStage) -> Pair:
    """A citizen, and who answers for them."""
    made = Pair(stage, await person(stage, "p02"), await person(stage, "p04"))
    await made.agreed()
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browsers(playwright: Playwright) -> AsyncIterator[dict[int, Browser]]:
    """One browser a size of text, for the module."""
    made = await both(playwright)
    yield made
    for one in made.values():
        await one.close()


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_answering_for_somebody_is_sound(
    stage: CitizenStage, pair: Pair, browsers: dict[int, Browser], look: dict[str, Any]
) -> None:
    """From the list to the question, to what was answered, and to the consent as the delegate sees it."""
    (mandate,) = await stage.rows("mandate")
    request, name = await pair.asked(), f"answered-{named(look)}"
    async with signed_in(browsers, pair.other, look) as seen:
        page = await looked_at(seen, f"{stage.origin}/my/delegates", f"{name}-1-list")
        place = f"/for/{mandate.id}/consent/{request}"
        await expect(page.locator(f"a[href='{place}']")).to_be_visible()
        await looked_at(seen, stage.origin + place, f"{name}-2-question")
        await page.locator("button[value=agree]").click()
        await page.wait_for_url("**/done")
        await looked_at(seen, page.url, f"{name}-3-answered")
        await page.locator("main a.button").click()
        await page.locator("a[href^='/my/consents/c-']").first.click()
        await looked_at(seen, page.url, f"{name}-4-consent")
        await expect(page.locator("main a[href$='/withdraw']")).to_be_visible()
        await expect(page.locator(".note--warning")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_a_code_is_sound(pair: Pair, browsers: dict[int, Browser], look: dict[str, Any]) -> None:
    """The form by which a delegate is named, and the page that shows the code this once."""
    page_of_code = await pair.name()
    assert code_of(page_of_code)
    async with signed_in(browsers, pair.owner, look) as seen:
        page = await looked_at(seen, page_of_code.url, f"named-{named(look)}-1")
        await page.locator("#called").fill("어머니")
        await page.locator("#until").fill(str(await page.locator("#until").get_attribute("max")))
        await page.locator("#power-view").check()
        await page.locator("input[name=sector]").first.check()
        await page.locator("section[aria-labelledby=name] button").click()
        await page.locator("#code").wait_for()
        await sound(seen, f"named-{named(look)}-2-code")
