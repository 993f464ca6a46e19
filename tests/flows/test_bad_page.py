"""Answers that come too late, twice, from elsewhere, or with what was never offered."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import httpx
import pytest

from gateway.demo.browser import Page
from gateway.demo.citizen import Citizen, Wishes
from gateway.demo.company import Company
from gateway.demo.story import WISHES
from gateway.errors import Language
from tests.flows.told import shown
from tests.world import SECOND, World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def before_question(world: World, language: str = "ko") -> tuple[Company, Citizen, Page, str]:
    """A citizen who stands before a fresh question; and the address the company gave them."""
    company, citizen = await world.company(), await world.citizen(language=language)
    address = await company.push(world.asked(), language)
    await world.forward(60)
    return company, citizen, await citizen.sign_in(address), address


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("decision", ["agree", "refuse"])
async def test_an_answer_after_the_request_expired_counts_for_nothing(
    world: World, language: Language, decision: str
) -> None:
    """An hour after the push the page can no longer be answered; it says so, nothing is stored."""
    _, citizen, page, _ = await before_question(world, language)
    await world.forward(1850)
    page = await citizen.sign_in(page.url)
    await world.forward(1700)
    async with world.unchanged():
        shown(await citizen.answer(page, decision, WISHES), "request_expired", 410, language)
        shown(await citizen.browser.open(page.url), "request_expired", 410, language)


async def test_an_answer_after_the_session_ended_asks_to_sign_in(world: World) -> None:
    """Whoever left the page open for too long is asked who they are; nothing is stored."""
    company, citizen = await world.company(), await world.citizen()
    page = await citizen.sign_in(await company.push(world.asked()))
    await citizen.browser.http.get(f"{world.origin}/signed-out")
    citizen.browser.http.cookies.clear()
    async with world.unchanged():
        shown(await citizen.answer(page, "agree", WISHES), "sign_in_needed", 401)


@pytest.mark.parametrize("language", ["ko", "en"])
async def test_a_pushed_request_is_visited_in_time(world: World, language: Language) -> None:
    """Five minutes after the push its address leads nowhere, and says so to a browser as a page."""
    company, citizen = await world.company(), await world.citizen(language=language)
    address = await company.push(world.asked())
    await world.forward(301)
    async with world.unchanged():
        shown(await citizen.browser.open(address), "request_expired", 410, language)


async def test_the_second_answer_changes_nothing(world: World) -> None:
    """Agreeing again, or refusing after agreeing, leads to the first answer; one consent, one entry."""
    _, citizen, page, _ = await before_question(world)
    first = await citizen.answer(page, "agree", WISHES)
    async with world.unchanged():
        for decision, wishes in (("agree", WISHES), ("agree", Wishes(items=())), ("refuse", WISHES)):
            again = await citizen.answer(page, decision, wishes)
            assert (again.status, again.url) == (200, first.url)
            assert again.words == first.words


async def moves(world: World) -> int:
    """How many entries there are but those of holders that heard of the end of a list."""
    return sum(not str(row["idem"]).startswith("list-ended/") for row in await world.rows("ledger_payload"))


async def test_five_answers_at_once_are_one(world: World) -> None:
    """A form sent five times at once moves the request once: one version, one entry."""
    _, citizen, page, _ = await before_question(world)
    versions, entries = len(await world.rows("consent_version")), await moves(world)

    pages = await asyncio.gather(*(citizen.answer(page, "agree", WISHES) for _ in range(5)))

    assert {answered.status for answered in pages} == {200}
    assert len({answered.url for answered in pages}) == 1
    assert len(await world.rows("consent_version")) == versions + 1
    assert await moves(world) == entries + 1


async def test_an_answered_request_uri_is_used_up(world: World) -> None:
    """The address works until the answer, for its own client only; unknown ones never did."""
    _, citizen, page, address = await before_question(world)
    base = address.split("?")[0]
    uri = address.partition("request_uri=")[2]
    async with world.unchanged():
        stolen = f"{base}?client_id={SECOND}&request_uri={uri}"
        shown(await citizen.browser.open(stolen), "request_unknown", 400)
        made_up = urlencode(
            {"client_id": "deundeun-budget", "request_uri": "urn:ietf:params:oauth:request_uri:x"}
        )
        shown(await citizen.browser.open(f"{base}?{made_up}"), "request_unknown", 400)
        shown(await citizen.browser.open(f"{base}?client_id=deundeun-budget"), "authorize_needs_par", 400)
        shown(await citizen.browser.open(f"{world.origin}/consent/never-was-one"), "request_unknown", 400)
    await citizen.answer(page, "agree", WISHES)
    async with world.unchanged():
        shown(await citizen.browser.open(address), "request_answered", 409)


async def test_the_way_back_is_gone_once_and_by_its_own_browser(world: World) -> None:
    """Another browser cannot take the code, and nobody can take it twice."""
    _, citizen, page, _ = await before_question(world)
    done = await citizen.answer(page, "agree", WISHES)
    link = next(link for link in done.links if "/authorize/resume/" in link)
    other = await world.citizen()
    async with world.unchanged():
        shown(await other.browser.open(link), "request_not_yours", 403)
    assert "code" in await citizen.return_to_company(done)
    async with world.unchanged():
        shown(await citizen.browser.open(link), "request_answered", 409)


async def test_only_what_the_page_offered_can_be_chosen(world: World) -> None:
    """Boxes nobody showed, unknown decisions and another request's id are refused as a whole."""
    _, citizen, page, _ = await before_question(world)
    form = page.form("decision")
    asked: list[dict[str, str | list[str] | None]] = [
        {"decision": "agree", "item": ["hanbit-bank/finance.dreams"]},
        {"decision": "agree", "item": list(WISHES.items), "field": ["x/y/z"]},
        {"decision": "agree everything"},
        {"decision": "agree", "interaction": "another-interaction-id"},
        {"decision": ["agree", "refuse"]},
        {"decision": "agree", "surprise": "1"},
    ]
    async with world.unchanged():
        for choose in asked:
            shown(await citizen.browser.submit(page, form, {**choose}), "form_invalid", 400)


async def test_another_site_cannot_answer_in_the_citizens_place(world: World) -> None:
    """A form another site sends through the citizen's browser is refused before it is read."""
    _, citizen, page, _ = await before_question(world)
    cookies = "; ".join(f"{c.name}={c.value}" for c in citizen.browser.http.cookies.jar)
    attacks = [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ]
    async with world.unchanged(), httpx.AsyncClient(trust_env=False) as evil:
        for headers in attacks:
            sent = {"Cookie": cookies, "Accept": "text/html", **headers}
            answered = await evil.post(page.url, data={"decision": "agree"}, headers=sent)
            assert answered.status_code == 403
            assert "cross_origin" in answered.text
            assert "<html" in answered.text


async def test_an_address_that_is_nowhere_is_a_page_for_a_browser(world: World) -> None:
    """A browser that goes astray gets a page in its language, a program a problem document."""
    for language in ("ko", "en"):
        citizen = await world.citizen(language=language)
        shown(await citizen.browser.open(f"{world.origin}/no/such/page"), "not_found", 404, language)
    answered = await world.http.get(f"{world.origin}/no/such/page")
    assert answered.json()["code"] == "not_found"
