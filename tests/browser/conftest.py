"""A real Chromium before the real pages, on loopback."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright
from sqlmodel import SQLModel

from gateway.database import Database
from tests.citizen_stage import ASKED, Asking, CitizenStage
from tests.serving import listening, origin_of, serving

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 360, "height": 800}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, where there is no Chromium."""
    if program() is None:
        reason = "group browser: no chromium on this machine"
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=reason))


@dataclass
class Seen:
    """One page in a browser, and everything it complained about."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list, kw_only=True)

    def listen(self) -> None:
        """Note from now on what the page complains about."""
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def shoot(self, name: str) -> None:
        """Leave a picture for a person to look at, if MYDATA_SCREENSHOTS names a folder."""
        if folder := os.environ.get("MYDATA_SCREENSHOTS"):
            await self.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@dataclass
class Visit(Seen):
    """One citizen's browser on the stage."""

    stage: CitizenStage

    async def question(self, asked: Asking = ASKED) -> Page:
        """Be asked, sign in through the pages, and stand before the question."""
        await self.page.goto(await self.stage.ask(asked))
        await self.page.locator("main a.button").click()
        await self.page.locator("button[value=p02]").click()
        await self.page.locator("#consent").wait_for()
        return self.page


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CitizenStage]:
    """The pages and the identity provider, each on a port of its own."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('pages') / 'mydata.db'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    ours, theirs = listening(), listening()
    made = CitizenStage(database, origin_of(ours), origin_of(theirs))
    await made.register()
    async with serving(made.app, [ours]), serving(made.identity_app, [theirs]):
        yield made
    await made.close()
    await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def playwright() -> AsyncIterator[Playwright]:
    """The driver."""
    async with async_playwright() as driver:
        yield driver


def program() -> str | None:
    """The Chromium of this machine: the one without windows, at half the work, if it is there."""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


async def launch(driver: Playwright, *more: str) -> Browser:
    """A browser of its own."""
    return await driver.chromium.launch(executable_path=program(), args=[*ARGUMENTS, *more])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium(playwright: Playwright) -> AsyncIterator[Browser]:
    """One browser for the tests of a module."""
    browser = await launch(playwright)
    yield browser
    await browser.close()


@asynccontextmanager
async def _context(browser: Browser, language: str, width: int, **more: Any) -> AsyncIterator[BrowserContext]:
    locale = "ko-KR" if language == "ko" else "en-GB"
    viewport = {"width": width, "height": 800}
    context = await browser.new_context(viewport=viewport, locale=locale, **more)  # type: ignore[arg-type]
    try:
        yield context
    finally:
        await context.close()


@asynccontextmanager
async def opened(
    browser: Browser, *, language: str = "ko", width: int = 360, **more: Any
) -> AsyncIterator[Seen]:
    """A fresh page in a browser that remembers nothing; `more` goes to the browser context."""
    async with _context(browser, language, width, **more) as context:
        found = Seen(context, await context.new_page())
        found.listen()
        yield found


@asynccontextmanager
async def visit(
    stage: CitizenStage, browser: Browser, *, language: str = "ko", width: int = 360, **more: Any
) -> AsyncIterator[Visit]:
    """A fresh visitor of `stage` with a phone; `more` goes to the browser context."""
    async with _context(browser, language, width, **more) as context:
        found = Visit(context, await context.new_page(), stage)
        found.listen()
        yield found
