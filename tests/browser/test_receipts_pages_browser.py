"""Receipts, the words agreed to, a file of one's own and a signature, as a citizen sees them on a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import Browser, Playwright, expect

from consent import exporting
from consent.receipt_verify import verify
from tests.browser.looking import LOOKS, both, looked_at, signed_in
from tests.browser.test_consent_page import named, sound
from tests.flows.test_companys_consents import given_by
from tests.flows.test_receipts_story import got, keys_of, sent
from tests.unit.consent.signing import Authority, signed
from tests.world import Given, World, open_world

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
AUTHORITY = Authority()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A gateway whose operator trusts an authority for citizens' signatures."""
    folder = tmp_path_factory.mktemp("receipts")
    (folder / "anchors").mkdir()
    written = AUTHORITY.certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "anchors" / "one.pem").write_bytes(written)
    async with open_world(folder, signature_anchors=folder / "anchors") as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ended(world: World) -> Given:
    """A consent of five holders under which a bundle was sent, withdrawn with a deletion."""
    given = await world.given()
    await sent(world, given)
    await given.citizen.withdraw(given.consent_id, delete=True)
    return given


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browsers(playwright: Playwright) -> AsyncIterator[dict[int, Browser]]:
    """One browser a size of text, for the module."""
    made = await both(playwright)
    yield made
    for one in made.values():
        await one.close()


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_receipts_are_sound(
    world: World, ended: Given, browsers: dict[int, Browser], look: dict[str, Any]
) -> None:
    """The list, the three kinds in words, the words agreed to; each file verifies without us."""
    place, name = f"{world.origin}/my/consents/{ended.consent_id}", f"receipts-{named(look)}"
    async with signed_in(browsers, ended.citizen.browser, look) as seen:
        page = await looked_at(seen, f"{place}/receipts", f"{name}-1-list")
        parts = await page.locator("h2 a").evaluate_all("all => all.map(e => e.getAttribute('href'))")
        assert len(parts) == 3
        for number, part in enumerate(parts, 2):
            await looked_at(seen, world.origin + part, f"{name}-{number}-one")
        async with page.expect_download() as coming:
            await page.locator("a[href$='/file']").click()
        data = (await (await coming.value).path()).read_bytes()
        assert verify(data, await keys_of(world), world.parts.log.vkey)["kind"] == "grant"
        await looked_at(seen, f"{place}/text", f"{name}-5-text")


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_taking_ones_consents_along_is_sound(
    world: World, ended: Given, browsers: dict[int, Browser], look: dict[str, Any]
) -> None:
    """The page says what is in the file; the file comes without a script and verifies without us."""
    async with signed_in(browsers, ended.citizen.browser, look) as seen:
        page = await looked_at(seen, f"{world.origin}/my/export", f"export-{named(look)}")
        async with page.expect_download() as coming:
            await page.locator("main a.button").click()
        data = (await (await coming.value).path()).read_bytes()
        found = exporting.verify(data, await keys_of(world), world.parts.log.vkey)["consents"]
        assert ended.consent_id in {one["consent"]["id"] for one in found}


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_signing_the_words_is_sound(
    world: World, browsers: dict[int, Browser], look: dict[str, Any]
) -> None:
    """From the receipts to a signature that is kept; a wrong one is told plainly and changes nothing."""
    given, key, name = await given_by(world, "p01"), ec.generate_private_key(ec.SECP256R1()), named(look)
    place = f"{world.origin}/my/consents/{given.consent_id}"
    async with signed_in(browsers, given.citizen.browser, look) as seen:
        page = await looked_at(seen, f"{place}/receipts", f"signature-{name}-1-list")
        await page.locator("a[href$='/signature']").click()
        await looked_at(seen, f"{place}/signature", f"signature-{name}-2-ask")
        await page.locator("textarea").fill("a..b")
        await page.locator("main button").click()
        await page.get_by_role("heading", level=1).wait_for()
        seen.complaints = [said for said in seen.complaints if "422" not in said]
        await sound(seen, f"signature-{name}-3-wrong")
        content = (await got(given, f"{place}/signature/content")).content
        await page.goto(f"{place}/signature")
        await page.locator("textarea").fill(signed(content, AUTHORITY.certify(key), key))
        await page.locator("main button").click()
        await expect(page.locator("textarea")).to_have_count(0)
        await looked_at(seen, f"{place}/signature", f"signature-{name}-4-kept")
