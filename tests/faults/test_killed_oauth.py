"""`kill -9` between PAR and token: never two live tokens for one code, nor a spent code without a way to
finish, nor an event without its change; and the citizen is not asked again for what they agreed to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import httpx
import pytest

from consent.events import Event
from gateway.demo.browser import Left, Page
from gateway.demo.citizen import Citizen, Wishes
from gateway.demo.company import Company, CompanyError
from tests.conftest import fresh_database
from tests.faults.process import ProcessWorld, open_process_world
from tests.flows.messages import code_form, token

MOMENTS = (0.0, 0.01, 0.03)
"""Seconds between sending a request and the kill: before, in and after its transaction."""


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[ProcessWorld]:
    """A gateway process of its own, on each store."""
    url = await fresh_database(database_url.split("|")[0]) if "|" in database_url else None
    async with open_process_world(tmp_path, url) as opened:
        yield opened


async def killed(world: ProcessWorld, request: Awaitable[Any], after: float) -> Any:
    """Send `request`, kill the gateway `after` some time, start it again: the answer, None if it was lost."""
    sent = asyncio.ensure_future(request)
    await asyncio.sleep(after)
    await world.kill()
    answered = (await asyncio.gather(sent, return_exceptions=True))[0]
    await world.start()
    await ready(world)
    if isinstance(answered, Left):
        return answered.query
    if isinstance(answered, BaseException):
        assert isinstance(answered, httpx.TransportError), repr(answered)
        return None
    return answered


async def ready(world: ProcessWorld) -> None:
    """Wait until the ledger has caught up with what the killed process left behind."""
    for _ in range(600):
        if (await world.http.get(f"{world.origin}/readyz")).status_code == 200:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the gateway did not become ready")


async def visited(citizen: Citizen, address: str) -> Page | dict[str, str]:
    """Where an address leads this citizen: a page, or back to the company."""
    try:
        page = await citizen.browser.open(address)
        if any("/sign-in/start" in link for link in page.links):
            page = await citizen.sign_in(address)
        return page
    except Left as left:
        return left.query


async def asked(company: Company, ask: list[dict[str, Any]]) -> str:
    """A request for a fresh grant, pushed; the address for the citizen."""
    return await company.push(ask, grant_management_action="create")


async def finish(world: ProcessWorld, company: Company, citizen: Citizen) -> tuple[dict[str, Any], bool]:
    """What a company does after a lost answer: go on with its grant, or ask if there is none.

    Gives the tokens, and whether the citizen was shown the question.
    """
    ask = world.asked()[:1]
    try:
        address = await company.push(ask, grant_management_action="merge", grant_id=company.grant_id)
    except CompanyError as error:
        if error.body["error"] != "invalid_grant_id":
            raise
        address = await asked(company, ask)
    back = await visited(citizen, address)
    shown = isinstance(back, Page)
    if isinstance(back, Page):
        done = await citizen.answer(back, "agree", Wishes(items=()))
        assert done.url.endswith("/done"), f"{done.url} {done.status} {done.words[:300]}"
        back = await citizen.return_to_company(done)
    return await company.exchange(back), shown


async def check(world: ProcessWorld, tokens: dict[str, Any]) -> None:
    """One living refresh token a grant, every change with its entry and every entry with its change."""
    grants = {row["id"]: row["generation"] for row in await world.rows("oauth_grant")}
    refresh = await world.rows("refresh_token")
    alive = [row for row in refresh if row["grant_generation"] == grants[row["grant_id"]]]
    assert [row["grant_id"] for row in alive].count(tokens["grant_id"]) == 1
    assert len({row["grant_id"] for row in alive}) == len(alive)
    used = [row for row in await world.rows("authorization_code") if row["used_at"] is not None]
    kinds = await world.kinds()
    assert kinds[Event.TOKEN_ACCESS_ISSUED] == len(refresh) == len(used)
    assert kinds[Event.OAUTH_AUTHORIZATION_PUSHED] == len(await world.rows("authorization_request"))
    given = [row for row in await world.rows("consent_version") if row["move"] == "give"]
    assert kinds[Event.CONSENT_GRANT_GIVEN] == len(given) == len(grants)
    assert "Traceback" not in world.said()


async def test_killed_while_a_request_is_pushed(world: ProcessWorld) -> None:
    """The company pushes again; a request whose answer was lost gives nothing to anybody."""
    company, citizen = await world.company(), await world.citizen()
    for moment in MOMENTS:
        await killed(world, asked(company, world.asked()[:1]), moment)
        await asked(company, world.asked()[:1])
        tokens, _ = await finish(world, company, citizen)
        await check(world, tokens)


async def test_killed_while_the_citizen_answers(world: ProcessWorld) -> None:
    """Consent, grant and entry stand together or not at all; only who has not agreed yet is asked."""
    company, citizen = await world.company(), await world.citizen()
    for moment in MOMENTS:
        page = await visited(citizen, await asked(company, world.asked()[:1]))
        assert isinstance(page, Page)
        grant_id = company.grant_id
        await killed(world, citizen.answer(page, "agree", Wishes(items=())), moment)
        stands = grant_id in {row["id"] for row in await world.rows("oauth_grant")}
        tokens, shown = await finish(world, company, citizen)
        assert shown is not stands
        assert (tokens["grant_id"] == grant_id) is stands
        await check(world, tokens)


async def test_killed_on_the_way_back(world: ProcessWorld) -> None:
    """The code never reached the company: it goes on with the grant, and the citizen is not asked again."""
    company, citizen = await world.company(), await world.citizen()
    for moment in MOMENTS:
        page = await visited(citizen, await asked(company, world.asked()[:1]))
        assert isinstance(page, Page)
        done, grant_id = await citizen.answer(page, "agree", Wishes(items=())), company.grant_id
        way_back = next(link for link in done.links if "/authorize/resume/" in link)
        await killed(world, visited(citizen, way_back), moment)
        tokens, shown = await finish(world, company, citizen)
        assert (tokens["grant_id"], shown) == (grant_id, False)
        await check(world, tokens)


async def test_killed_while_the_code_is_exchanged(world: ProcessWorld) -> None:
    """The answer is lost: the same code gives no second token, and the grant gives a new code at once."""
    company, citizen = await world.company(), await world.citizen()
    for moment in MOMENTS:
        page = await visited(citizen, await asked(company, world.asked()[:1]))
        assert isinstance(page, Page)
        done, grant_id = await citizen.answer(page, "agree", Wishes(items=())), company.grant_id
        fields = code_form(company, await citizen.return_to_company(done))
        first = await killed(world, token(company, **fields), moment)
        codes = await world.rows("authorization_code")
        used = any(row["used_at"] for row in codes if row["grant_id"] == grant_id)
        again = await token(company, **fields)
        assert again.status_code == (400 if used else 200)
        if used:
            assert again.json()["params"]["grant_id"] == grant_id
        tokens, shown = await finish(world, company, citizen)
        assert (tokens["grant_id"], shown) == (grant_id, False)
        for lost in (first, again):
            if lost is not None and lost.status_code == 200:
                old = {"refresh_token": lost.json()["refresh_token"]}
                refused = await token(company, grant_type="refresh_token", **old)
                assert refused.json()["code"] == "token_superseded"
        await check(world, tokens)
