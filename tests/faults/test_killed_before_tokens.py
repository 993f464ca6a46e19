"""`kill -9` anywhere between the pushed request and the token: nothing doubled, nothing unsaid."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from consent.events import Event
from consent.ledger.verify import verify
from consent.records import PENDING
from gateway.demo.browser import Page
from gateway.demo.citizen import Citizen, Wishes
from gateway.demo.company import Company, CompanyError
from gateway.demo.world import mydata
from tests.faults.process import ProcessWorld, open_process_world
from tests.faults.test_killed_oauth import finish
from tests.flows.messages import code_form, token
from tests.tables import fresh_database

STEPS = ("push", "page", "answer", "return", "exchange")
ROUNDS = 10
SECONDS = {"push": 0.04, "page": 0.15, "answer": 0.25, "return": 0.05, "exchange": 0.05}
"""How long after the beginning of a step the kill may come, about as long as the step takes."""
NOTHING_MORE = Wishes(items=())
"""The citizen agrees to what is asked and ticks nothing that is optional."""
Result = TypeVar("Result")


@dataclass
class Story:
    """One request on its way to a token, with a kill in one of its steps."""

    world: ProcessWorld
    company: Company
    citizen: Citizen
    at: str
    seconds: float
    seen: dict[str, Any] = field(default_factory=dict)

    async def step(self, name: str, work: Awaitable[Result]) -> Result:
        """Do `work`; if this is the step, kill while it is under way. What it gives is remembered."""
        if name != self.at:
            self.seen[name] = done = await work
            return done
        running = asyncio.ensure_future(work)
        await asyncio.sleep(self.seconds)
        await self.world.kill()
        self.seen[name] = done = await running
        return done

    async def tell(self) -> None:
        """From the pushed request to the tokens."""
        address: str = await self.step("push", self.company.push(self.world.asked()[:1]))
        page: Page = await self.step("page", self._opened(address))
        done = await self.step("answer", self.citizen.answer(page, "agree", NOTHING_MORE))
        answer = await self.step("return", self.citizen.return_to_company(done))
        await self.step("exchange", self.company.exchange(answer))

    async def _opened(self, address: str) -> Page:
        page = await self.citizen.browser.open(address)
        if any("/sign-in/start" in link for link in page.links):
            page = await self.citizen.sign_in(address)
        return page

    async def go_on(self) -> str:
        """After the restart the citizen reloads, the company tries once more; how it ended."""
        try:
            if "page" in self.seen and "answer" not in self.seen:
                page = await self.citizen.browser.open(self.seen["page"].url)
                done = page.url.endswith("/done")
                self.seen["answer"] = page if done else await self.citizen.answer(page, "agree", NOTHING_MORE)
            if "answer" in self.seen and "return" not in self.seen:
                self.seen["return"] = await self.citizen.return_to_company(self.seen["answer"])
        except (RuntimeError, LookupError):
            return "asks again"
        if "return" not in self.seen:
            return "asks again"
        answered = await token(self.company, **code_form(self.company, self.seen["return"]))
        if answered.status_code == 200:
            self.company.tokens = answered.json()
            return "got its token"
        assert answered.status_code == 400, answered.text
        self.company.grant_id = answered.json()["params"]["grant_id"]
        self.company.tokens, shown = await finish(self.world, self.company, self.citizen)
        assert not shown
        return "went on with its grant"


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[ProcessWorld]:
    """A gateway process, on each store."""
    url = await fresh_database(database_url.split("|")[0]) if "|" in database_url else database_url
    async with open_process_world(tmp_path, url) as opened:
        yield opened


@pytest.mark.timeout(400)
async def test_killed_anywhere(world: ProcessWorld, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten stories, each killed at a seeded moment; after each the tables and the ledger say the same."""
    chance, ended = random.Random(20260101), Counter[str]()
    company, citizen = await world.company(), await world.citizen()
    for number in range(ROUNDS):
        at = STEPS[number % len(STEPS)]
        story = Story(world, company, citizen, at, chance.uniform(0, SECONDS[at]))
        how = await told(story)
        await ready(world)
        how = how or await story.go_on()
        ended[f"{at}: {how}"] += 1
        await agree(world)
    with capsys.disabled():
        print(f"\nkilled between PAR and token: {dict(sorted(ended.items()))}")
    await signed(world)
    folder = world.folder / "export"
    said = await mydata("ledger", "export", str(folder), "--config", str(world.folder / "gateway.yaml"))
    assert not verify(folder, said.rsplit("--key ", 1)[1].strip()).findings


async def ready(world: ProcessWorld) -> None:
    """Start again, and wait until the ledger has caught up; a gateway that lags issues nothing."""
    await world.start()
    for _ in range(300):
        if (await world.http.get(f"{world.origin}/readyz")).status_code == 200:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the gateway is not ready")


async def signed(world: ProcessWorld) -> None:
    """Wait until what happened stands in a published tree."""
    for _ in range(300):
        told = await world.http.get(f"{world.origin}/ledger/checkpoint")
        if told.status_code == 200 and not await world.rows("ledger_outbox"):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the log does not move")


async def told(story: Story) -> str:
    """Tell it until the kill; whether it had ended by then."""
    try:
        await story.tell()
    except (httpx.TransportError, CompanyError, RuntimeError, LookupError):
        assert story.world.gateway is not None
        if story.world.gateway.process.returncode is None:
            raise
        return ""
    return "had its token"


async def agree(world: ProcessWorld) -> None:
    """The tables against each other and against the ledger: what happened is entered, and nothing else."""
    requests, codes = await world.rows("authorization_request"), await world.rows("authorization_code")
    grants, tokens = await world.rows("oauth_grant"), await world.rows("refresh_token")
    shown, kinds = await world.rows("consent"), await world.kinds()
    consents = [row for row in shown if row["state"] not in PENDING]
    assert kinds[Event.CONSENT_REQUEST_SHOWN] == len(shown)
    assert kinds[Event.OAUTH_AUTHORIZATION_PUSHED] == len(requests)
    assert kinds[Event.CONSENT_GRANT_GIVEN] == len(consents)
    answered = [row for row in requests if row["consent_id"] is not None]
    assert {row["consent_id"] for row in answered} == {row["id"] for row in consents}
    assert sum(row["finished_at"] is not None for row in requests) == len(codes)
    assert len(grants) == len(consents)
    spent = Counter(row["grant_id"] for row in codes if row["used_at"] is not None)
    assert Counter(row["grant_id"] for row in tokens) == spent
    generations = {row["id"]: row["generation"] for row in grants}
    alive = [row["grant_id"] for row in tokens if row["grant_generation"] == generations[row["grant_id"]]]
    assert len(alive) == len(set(alive))
    assert kinds[Event.TOKEN_ACCESS_ISSUED] == len(tokens)
    assert "Traceback" not in world.said()
