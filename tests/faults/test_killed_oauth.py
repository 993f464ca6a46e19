"""`kill -9` between PAR and token: never two live tokens for one code, nor a spent code without a way to
finish, nor an event without its change; and the citizen is not asked again for what they agreed to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from consent.events import Event
from gateway.demo.browser import Left, Page
from gateway.demo.citizen import Citizen, Wishes
from gateway.demo.company import Company, CompanyError
from tests.faults.process import ProcessWorld, open_process_world
from tests.flows.messages import code_form, token
from tests.tables import fresh_database

Seen = Callable[[], Awaitable[bool]]
"""Whether the store shows what a request was to do."""


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[ProcessWorld]:
    """A gateway process of its own, on each store."""
    url = await fresh_database(database_url.split("|")[0]) if "|" in database_url else None
    async with open_process_world(tmp_path, url) as opened:
        yield opened


async def killed(world: ProcessWorld, request: Awaitable[Any], done: Seen | None) -> None:
    """Send `request` and kill the gateway, at once or right after its commit; its answer is lost."""
    sent = asyncio.ensure_future(request)
    for _ in range(5000):
        await asyncio.sleep(0.002)
        if done is None or await done():
            break
    await world.kill()
    answered = (await asyncio.gather(sent, return_exceptions=True))[0]
    if isinstance(answered, BaseException) and not isinstance(answered, httpx.TransportError | Left):
        raise answered
    await world.start()
    await ready(world)


def more_rows(world: ProcessWorld, table: str, before: int) -> Seen:
    """Whether a table has more rows than before."""

    async def seen() -> bool:
        return len(await world.rows(table)) > before

    return seen


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


async def before_answer(world: ProcessWorld, company: Company, citizen: Citizen) -> Page:
    """The citizen stands before a fresh question."""
    page = await visited(citizen, await asked(company, world.asked()[:1]))
    assert isinstance(page, Page), page
    return page


@pytest.mark.parametrize("committed", [False, True], ids=["at-once", "after-the-commit"])
async def test_killed_while_a_request_is_pushed(world: ProcessWorld, committed: bool) -> None:
    """The company pushes again; a request whose answer was lost gives nothing to anybody."""
    company, citizen = await world.company(), await world.citizen()
    done = more_rows(world, "authorization_request", 0) if committed else None
    await killed(world, asked(company, world.asked()[:1]), done)
    await asked(company, world.asked()[:1])
    tokens, _ = await finish(world, company, citizen)
    await check(world, tokens)


@pytest.mark.parametrize("committed", [False, True], ids=["at-once", "after-the-commit"])
async def test_killed_while_the_citizen_answers(world: ProcessWorld, committed: bool) -> None:
    """Consent, grant and entry stand together or not at all; only who has not agreed yet is asked."""
    company, citizen = await world.company(), await world.citizen()
    page = await before_answer(world, company, citizen)
    grant_id = company.grant_id
    done = more_rows(world, "consent_version", 1) if committed else None
    await killed(world, citizen.answer(page, "agree", Wishes(items=())), done)
    stands = grant_id in {row["id"] for row in await world.rows("oauth_grant")}
    assert stands or not committed
    tokens, shown = await finish(world, company, citizen)
    assert shown is not stands
    assert (tokens["grant_id"] == grant_id) is stands
    await check(world, tokens)


@pytest.mark.parametrize("committed", [False, True], ids=["at-once", "after-the-commit"])
async def test_killed_on_the_way_back(world: ProcessWorld, committed: bool) -> None:
    """The code never reached the company: it goes on with the grant, and the citizen is not asked again."""
    company, citizen = await world.company(), await world.citizen()
    page = await before_answer(world, company, citizen)
    answered, grant_id = await citizen.answer(page, "agree", Wishes(items=())), company.grant_id
    way_back = next(link for link in answered.links if "/authorize/resume/" in link)
    done = more_rows(world, "authorization_code", 0) if committed else None
    await killed(world, visited(citizen, way_back), done)
    tokens, shown = await finish(world, company, citizen)
    assert (tokens["grant_id"], shown) == (grant_id, False)
    await check(world, tokens)


@pytest.mark.parametrize("committed", [False, True], ids=["at-once", "after-the-commit"])
async def test_killed_while_the_code_is_exchanged(world: ProcessWorld, committed: bool) -> None:
    """The answer is lost: the same code gives no second token, and the grant gives a new code at once."""
    company, citizen = await world.company(), await world.citizen()
    page = await before_answer(world, company, citizen)
    answered, grant_id = await citizen.answer(page, "agree", Wishes(items=())), company.grant_id
    fields = code_form(company, await citizen.return_to_company(answered))
    done = more_rows(world, "refresh_token", 0) if committed else None
    await killed(world, token(company, **fields), done)
    (code,) = await world.rows("authorization_code")
    assert code["used_at"] or not committed
    again = await token(company, **fields)
    if code["used_at"]:
        assert (again.status_code, again.json()["params"]["grant_id"]) == (400, grant_id)
    else:
        assert again.status_code == 200
    tokens, shown = await finish(world, company, citizen)
    assert (tokens["grant_id"], shown) == (grant_id, False)
    if again.status_code == 200:
        old = {"refresh_token": again.json()["refresh_token"]}
        refused = await token(company, grant_type="refresh_token", **old)
        assert refused.json()["code"] == "token_superseded"
    await check(world, tokens)
