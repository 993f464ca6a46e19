"""Choosing single accounts while narrowing, on a phone: "all" is ticked, one is chosen instead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, expect

from connectors.sandbox.faults import Fault
from tests.browser.looking import LOOKS, both, looked_at, signed_in
from tests.browser.test_consent_page import named, sound
from tests.flows.chosen import BANK, BILLS, everything, question
from tests.world import World, open_world

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world in which the thirteenth person has several accounts and lines."""
    async with open_world(tmp_path_factory.mktemp("narrowing"), count=13) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browsers(playwright: Playwright) -> AsyncIterator[dict[int, Browser]]:
    """One browser a size of text, for the module."""
    made = await both(playwright)
    yield made
    for one in made.values():
        await one.close()


@pytest.mark.parametrize("look", LOOKS[1:], ids=named)
async def test_one_account_instead_of_all_is_sound(
    world: World, browsers: dict[int, Browser], look: dict[str, Any]
) -> None:
    """All is ticked; with one chosen instead the changes say so; a holder that lists nothing is named."""
    asked, name = await question(world), f"narrow-accounts-{named(look)}"
    given = await asked.agreed(account=everything(asked, BANK, BILLS))
    world.faults["nuri-telecom"].add(Fault.DOWN)
    async with signed_in(browsers, given.citizen.browser, look) as seen:
        address = f"{world.origin}/my/consents/{given.consent_id}/narrow"
        page = await looked_at(seen, address, f"{name}-1")
        world.calm()
        every = page.locator(f"input[value='{BANK}/all']")
        await expect(every).to_be_checked()
        assert await page.locator(f"input[name=account][value^='{BILLS}/']").count() == 0
        await every.uncheck()
        await page.locator(f"input[name=account][value^='{BANK}/']").first.check()
        await page.locator("button[value=look]").click()
        await page.locator("button[value=narrow]").wait_for()
        await sound(seen, f"{name}-2-changes")
        await page.locator("button[value=narrow]").click()
        await page.wait_for_url("**/narrowed")
        await sound(seen, f"{name}-3-done")
