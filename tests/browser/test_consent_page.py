"""The consent page as a citizen sees it on a phone: what it shows, how big, how equal, with what keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Playwright, expect

from gateway.web.site import Withheld
from tests.browser import axe
from tests.browser.conftest import Seen, launch, visit
from tests.citizen_stage import CitizenStage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
GOLDEN = Path(__file__).parent / "golden"
LOOKS: list[dict[str, Any]] = [
    {"language": "ko", "width": 360},
    {"language": "ko", "width": 320},
    {"language": "en", "width": 360},
    {"language": "en", "width": 320},
    {"language": "ko", "width": 360, "color_scheme": "dark"},
    {"language": "en", "width": 1280},
    {"language": "ko", "width": 360, "forced_colors": "active"},
]
_SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_INLINE = """[...document.querySelectorAll('[style],style,script:not([src]),[onclick],[onload]')]
  .map(e => e.outerHTML.slice(0, 90))"""
CUT = """[...document.querySelectorAll('body *')]
  .filter(e => !e.matches('.visually-hidden') && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1)
  .map(e => e.outerHTML.slice(0, 120))"""
_STYLE = """e => { const s = getComputedStyle(e);
  return [s.color, s.backgroundColor, s.borderColor, s.fontSize, s.fontWeight] }"""
_TARGETS = """[...document.querySelectorAll('button,a[href],summary,.box')]
  .filter(e => e.checkVisibility() && e.tabIndex !== -1 && !e.matches('.skip'))
  .map(e => [e.textContent.trim().slice(0, 30), e.getBoundingClientRect()])
  .filter(([, r]) => r.height < 43.9 || r.width < 43.9).map(([t, r]) => `${t} ${r.width}x${r.height}`)"""


def named(look: dict[str, Any]) -> str:
    """A short name of how a page is looked at."""
    return "-".join(str(value) for value in look.values())


async def violations(page: Page) -> list[str]:
    """What axe finds wrong."""
    await page.evaluate(axe.source())
    found = await page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}}).then(r => r.violations)", axe.TAGS
    )
    return [f"{v['id']}: {n['html'][:120]} {n['failureSummary'][:200]}" for v in found for n in v["nodes"]]


async def sound(seen: Seen, name: str) -> None:
    """What holds of every page however it is looked at."""
    await seen.page.wait_for_load_state()
    assert await seen.page.evaluate(_INLINE) == []
    await seen.shoot(name)
    assert await seen.page.evaluate(_SIDEWAYS) <= 0
    assert await seen.page.evaluate(_TARGETS) == []
    assert await violations(seen.page) == []
    assert seen.complaints == []


@pytest.mark.parametrize("look", LOOKS, ids=named)
async def test_every_page_is_sound(stage: CitizenStage, chromium: Browser, look: dict[str, Any]) -> None:
    """Sign-in to withdrawal: no sideways scroll, nothing inline, 44 px targets, axe clean, no complaint."""
    name = named(look)
    async with visit(stage, chromium, **look) as seen:
        page = seen.page
        await page.goto(await stage.ask())
        await sound(seen, f"{name}-1-sign-in")
        await page.locator("main a.button").click()
        await page.locator("button[value=p02]").click()
        await page.locator("#consent").wait_for()
        await sound(seen, f"{name}-2-consent")
        await page.locator("summary").last.click()
        await seen.shoot(f"{name}-3-details")
        await page.locator("button[value=agree]").click()
        await page.locator(".reference").wait_for()
        await sound(seen, f"{name}-4-done")
        await page.locator("footer a[href='/my/consents']").click()
        await page.wait_for_url("**/my/consents")
        await sound(seen, f"{name}-5-mine")
        await page.locator("h2 a").first.click()
        await page.wait_for_url("**/my/consents/c-*")
        await sound(seen, f"{name}-6-one")
        await page.locator("main a.button").click()
        await page.wait_for_url("**/withdraw")
        await sound(seen, f"{name}-7-withdraw")
        await page.locator("button[value=withdraw]").click()
        await page.wait_for_url("**/withdrawn")
        await sound(seen, f"{name}-8-withdrawn")
        await page.goto(f"{stage.origin}/consent/{'x' * 32}")
        seen.complaints = [said for said in seen.complaints if "400" not in said]
        await sound(seen, f"{name}-9-error")


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_nothing_is_ticked_and_nothing_needed_can_be_unticked(
    stage: CitizenStage, chromium: Browser, language: str
) -> None:
    """Optional boxes start empty; the required list has no box but those of sensitive parts."""
    async with visit(stage, chromium, language=language) as seen:
        page = await seen.question()
        assert await page.locator("input:checked").count() == 0
        assert await page.locator("input[disabled], button[disabled]").count() == 0
        assert await page.locator("section[aria-labelledby=required] input[name=item]").count() == 0
        assert await page.locator("section[aria-labelledby=optional] input[name=item]").count() == 5


@pytest.mark.parametrize("width", [320, 360, 1280])
async def test_agreeing_and_refusing_are_equal(stage: CitizenStage, chromium: Browser, width: int) -> None:
    """The two buttons have one size, one weight, one colour, and are seen together."""
    async with visit(stage, chromium, width=width) as seen:
        page = await seen.question()
        agree, refuse = page.locator("button[value=agree]"), page.locator("button[value=refuse]")
        await refuse.scroll_into_view_if_needed()
        first, second = await agree.bounding_box(), await refuse.bounding_box()
        assert first is not None
        assert second is not None
        assert abs(first["width"] - second["width"]) <= 1
        assert abs(first["height"] - second["height"]) <= 1
        assert first["y"] >= 0
        assert second["y"] + second["height"] <= 800
        assert await agree.evaluate(_STYLE) == await refuse.evaluate(_STYLE)


async def test_important_content_is_clearly_larger(stage: CitizenStage, chromium: Browser) -> None:
    """Purpose, end, retention, frequency, right to refuse: 20 % larger than the text, bold (PIPA 22(2))."""
    async with visit(stage, chromium) as seen:
        page = await seen.question()
        body = float(await page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)"))
        sizes = await page.locator("[data-important]").evaluate_all(
            "all => all.map(e => [parseFloat(getComputedStyle(e).fontSize), getComputedStyle(e).fontWeight])"
        )
        assert len(sizes) == 5
        assert all(size >= 1.2 * body and int(weight) >= 700 for size, weight in sizes)


async def test_who_asks_is_seen_without_scrolling(stage: CitizenStage, chromium: Browser) -> None:
    """Legal name, registration and contact stand in the first view of a small phone."""
    async with visit(stage, chromium, width=360) as seen:
        page = await seen.question()
        for words in ("주식회사 든든", "110-81-12345", "1600-0000"):
            box = await page.get_by_text(words).first.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= 640


async def test_text_at_twice_the_size(stage: CitizenStage, playwright: Playwright) -> None:
    """With text at 200 % nothing is cut off, nothing scrolls sideways, the buttons stay equal."""
    browser = await launch(playwright, "--blink-settings=defaultFontSize=32")
    try:
        async with visit(stage, browser, width=360) as seen:
            page = await seen.question()
            assert (
                await page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") == 32
            )
            await seen.shoot("ko-360-text-200")
            assert await page.evaluate(CUT) == []
            assert await page.evaluate(_SIDEWAYS) <= 0
            agree = await page.locator("button[value=agree]").bounding_box()
            refuse = await page.locator("button[value=refuse]").bounding_box()
            assert agree is not None
            assert refuse is not None
            assert abs(agree["height"] - refuse["height"]) <= 1
    finally:
        await browser.close()


async def test_with_keys_only(stage: CitizenStage, chromium: Browser) -> None:
    """Tab reaches every control in reading order with a visible ring; Space ticks; Enter presses."""
    async with visit(stage, chromium) as seen:
        page = await seen.question()
        reached, places = [], []
        for _ in range(30):
            await page.keyboard.press("Tab")
            name, top, ring = await page.evaluate(
                "(() => { const e = document.activeElement, s = getComputedStyle(e);"
                " return [e.value || e.tagName, e.getBoundingClientRect().top + scrollY, s.outlineStyle] })()"
            )
            assert ring != "none", name
            reached.append(name)
            places.append(top)
            if name == "refuse":
                break
        assert reached[-2:] == ["agree", "refuse"]
        assert places[2:] == sorted(places[2:])
        assert (
            len([name for name in reached if "/" in str(name)]) == await page.locator(".box__input").count()
        )
        await page.locator("input[name=item]").first.focus()
        await page.keyboard.press("Space")
        assert await page.locator("input[name=item]").first.is_checked()
        await page.keyboard.press("Enter")
        await page.locator("[role=status]").wait_for()
        assert await page.locator("input[name=item]").first.is_checked()
        assert "/done" not in page.url
        await page.locator("button[value=agree]").focus()
        await page.keyboard.press("Enter")
        await page.locator(".reference").wait_for()


async def test_the_whole_story_without_javascript(stage: CitizenStage, chromium: Browser) -> None:
    """Consent, switch of language, mistake, overview and withdrawal work with scripts off."""
    async with visit(stage, chromium, java_script_enabled=False) as seen:
        page = await seen.question()
        await page.get_by_label("다담마켓 · 주문 내역").check()
        await page.get_by_role("button", name="English").click()
        await expect(page.get_by_label("Dadam Market · Orders")).to_be_checked()
        await page.get_by_label("Merchant").check()
        await page.get_by_role("button", name="Agree and send").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        await seen.shoot("en-360-mistake")
        await page.get_by_label("Nuri Telecom · Payments through the telephone bill").check()
        await page.get_by_role("button", name="Agree and send").click()
        await page.get_by_role("link", name="See my consents").click()
        await page.get_by_role("link", name="Withdraw consent given to Deundeun Budget").first.click()
        await page.get_by_role("button", name="Withdraw consent").click()
        await expect(page.get_by_role("heading", name="You withdrew")).to_be_visible()


async def test_withdrawing_is_no_harder_than_agreeing(stage: CitizenStage, chromium: Browser) -> None:
    """Counted in presses: from the overview to withdrawn, against from the link to agreed."""
    async with visit(stage, chromium) as seen:
        page = await seen.question()
        await page.locator("button[value=agree]").click()
        await page.locator(".reference").wait_for()
        granted = 3  # sign-in page, provider, agree
        await page.goto(f"{stage.origin}/my/consents")
        presses = 0
        for target in (".card a[href$='/withdraw']", "button[value=withdraw]"):
            await page.locator(target).first.click()
            presses += 1
        await page.get_by_text("철회했어요").first.wait_for()
        assert presses <= granted


async def test_the_count_of_ticked_items_follows(stage: CitizenStage, chromium: Browser) -> None:
    """The number beside the buttons counts ticked optional items, without a script."""
    async with visit(stage, chromium) as seen:
        page = await seen.question()
        for number in (1, 2):
            await page.locator("input[name=item]").nth(number).check()
        await seen.shoot("ko-360-two-ticked")
        content = await page.locator(".chosen").evaluate("e => getComputedStyle(e, '::after').content")
        assert "counter(chosen)" in content


async def test_what_cannot_come_is_said(stage: CitizenStage, chromium: Browser) -> None:
    """A holder that is down and an item the law withholds are named with the reason and the article."""
    stage.down = {"saebom-hospital"}
    law = Withheld("periodic_to_general_recipient", "PIPA Decree 42-6(4)")
    stage.withheld = {"nuri-telecom/telecom.bills": law}
    try:
        async with visit(stage, chromium) as seen:
            await seen.page.goto(await stage.ask())
            await seen.page.locator("main a.button").click()
            await seen.page.locator("button[value=p05]").click()
            await seen.page.locator("#consent").wait_for()
            await sound(seen, "ko-360-unavailable")
            said = await seen.page.locator("main").inner_text()
            assert "새봄병원에서 응답하지 않아요." in said
            assert "개인정보 보호법 시행령 제42조의6 제4항" in said
            assert await seen.page.locator("input[value='nuri-telecom/telecom.bills']").count() == 0
    finally:
        stage.down, stage.withheld = set(), {}


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_what_is_read_aloud(stage: CitizenStage, chromium: Browser, language: str) -> None:
    """The page as assistive technology gets it equals the kept one; MYDATA_GOLDEN=write renews it."""
    async with visit(stage, chromium, language=language) as seen:
        page = await seen.question()
        await page.locator(".answer-by").wait_for()
        heard = await page.locator("main").aria_snapshot() + "\n"
        kept = GOLDEN / f"consent.{language}.yaml"
        if os.environ.get("MYDATA_GOLDEN") == "write":
            kept.write_text(heard, encoding="utf-8")
        assert heard == kept.read_text(encoding="utf-8")
