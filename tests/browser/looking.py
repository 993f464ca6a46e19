"""How a page is looked at: text at 200 %, no script there at all, keys alone, somebody signed in before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, Playwright

from gateway.demo.browser import Browser as Person
from tests.browser.conftest import Seen, launch, opened
from tests.browser.test_consent_page import CUT, sound

LOOKS: list[dict[str, Any]] = [
    {"language": "ko", "width": 360, "color_scheme": "dark"},
    {"language": "en", "width": 320},
    {"language": "ko", "width": 360, "color_scheme": "dark", "text": 200},
]
_STOPS = """[...document.querySelectorAll('a[href],button,input,select,textarea,summary')]
  .filter(e => e.checkVisibility() && e.type !== 'hidden' && e.tabIndex !== -1)
  .map((e, place) => { e.dataset.stop = place; return e.outerHTML.slice(0, 120) })"""
_HERE = """(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
  return [Number(e.dataset.stop ?? -1), s.outlineStyle, r.top < innerHeight && r.bottom > 0] })()"""


@asynccontextmanager
async def signed_in(
    browsers: dict[int, Browser], person: Person, look: dict[str, Any]
) -> AsyncIterator[Seen]:
    """A page in a browser where `person` is signed in already."""
    origin, rest = person.stay[0], {name: value for name, value in look.items() if name != "text"}
    browser = browsers[look.get("text", 100)]
    async with opened(browser, **rest) as seen:
        kept = {cookie.name: str(cookie.value) for cookie in person.http.cookies.jar}
        await seen.context.add_cookies([{"name": n, "value": v, "url": origin} for n, v in kept.items()])
        yield seen


async def both(driver: Playwright) -> dict[int, Browser]:
    """A Chromium with text at 100 %, and one with text at 200 %."""
    return {100: await launch(driver), 200: await launch(driver, "--blink-settings=defaultFontSize=32")}


async def looked_at(seen: Seen, address: str, name: str) -> Page:
    """Open `address`: sound, no script, nothing cut off, every stop reached by Tab in order with a ring."""
    answer = await seen.page.goto(address)
    assert answer is not None
    assert answer.status == 200, address
    assert await seen.page.evaluate("document.scripts.length") == 0
    await sound(seen, name)
    assert await seen.page.evaluate(CUT) == []
    await by_keys(seen.page)
    return seen.page


async def by_keys(page: Page) -> None:
    """Tab goes through every stop of the page in reading order, each in view, each with a ring."""
    stops = await page.evaluate(_STOPS)
    await page.evaluate("document.activeElement.blur()")
    for place, what in enumerate(stops):
        await page.keyboard.press("Tab")
        here, ring, in_view = await page.evaluate(_HERE)
        for _part in range(4 if place else 0):  # a day has stops of its own: year, month, day, picker
            if here != place - 1 or 'type="date"' not in stops[place - 1]:
                break
            await page.keyboard.press("Tab")
            here, ring, in_view = await page.evaluate(_HERE)
        assert (here, ring != "none", in_view) == (place, True, True), what
