"""Attacks on the citizen's pages: answers doubled, swapped, planted or sent by somebody else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from consent.calendar import korean_day
from gateway.demo.browser import Browser, Page
from gateway.security import guardians
from gateway.web import routes
from tests.citizen_stage import ASKED, CitizenStage


async def question(stage: CitizenStage, browser: Browser, person: str = "p02", **parameters: str) -> Page:
    """The question of a fresh request, before a signed-in citizen."""
    page = await browser.open(await stage.ask(ASKED, **parameters))
    return await stage.sign_in(browser, page, person) if urlsplit(page.url).path == "/sign-in" else page


async def granted(stage: CitizenStage, browser: Browser, **parameters: str) -> str:
    """The id of the grant of a consent the citizen gives now."""
    page = await question(stage, browser, **parameters)
    await browser.submit(page, page.form("decision"), {"decision": "agree"})
    return str((await stage.rows("oauth_grant"))[-1].id)


async def test_an_answer_with_recognition_sent_five_times_at_once_is_one(stage: CitizenStage) -> None:
    """Every one of them is led to the same ending; one consent, one recognition, one entry of each."""
    browser = stage.browser()
    page = await question(stage, browser, scope="openid", nonce="n")

    sent = (browser.submit(page, page.form("decision"), {"decision": "agree"}) for _ in range(5))
    ends = await asyncio.gather(*sent)

    assert {urlsplit(end.url).path.rpartition("/")[2] for end in ends} == {"done"}
    assert {end.status for end in ends} == {200}
    assert await stage.count("oauth_recognition") == await stage.count("consent") == 1


async def test_a_request_that_needs_no_asking_opened_five_times_at_once_is_settled_once(
    stage: CitizenStage,
) -> None:
    """A lost answer finished in five tabs at once: each is led on, the grant has one generation more."""
    browser = stage.browser()
    wanted = {"scope": "openid", "nonce": "n"}
    grant = await granted(stage, browser, **wanted)
    again = await stage.ask(ASKED, **wanted, grant_management_action="merge", grant_id=grant)

    ends = await asyncio.gather(*(browser.open(again) for _ in range(5)))

    assert {end.status for end in ends} == {200}
    assert (await stage.rows("oauth_grant"))[0].generation == 2


async def test_no_form_of_any_page_may_be_sent_by_another_site(stage: CitizenStage) -> None:
    """Whatever page is added: a form sent from elsewhere, or from a sandboxed frame, is refused unread."""
    posts = {route.path for route in routes(stage.site) if "POST" in (route.methods or ())} - {"/logout"}
    elsewhere = (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": stage.origin},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    )
    browser = stage.browser()
    await browser.submit(page := await question(stage, browser), page.form("decision"), {"decision": "agree"})
    consent = (await stage.rows("consent"))[-1]

    assert "/my/consents/{consent}/withdraw" in posts
    for path in posts:
        address = stage.origin + path.replace("{consent}", consent.id).replace("{interaction}", "x" * 32)
        for headers in elsewhere:
            answered = await browser.http.post(address, data={"decision": "withdraw"}, headers=headers)
            assert answered.status_code == 403, (path, headers)
    assert (await stage.rows("consent"))[-1] == consent


@pytest.mark.parametrize(
    "demanded",
    [
        {"max_age": "3600"},
        {"claims": '{"id_token":{"acr":{"essential":true,"value":"urn:mydata:acr:sandbox"}}}'},
        {"claims": '{"id_token":{"auth_time":{"essential":true}}}'},
    ],
    ids=["max_age", "acr", "auth_time"],
)
async def test_nobody_answers_for_another_what_wants_that_ones_own_sign_in(
    stage: CitizenStage, demanded: dict[str, str]
) -> None:
    """A mandate is no sign-in: what the client demanded of the citizen's own is not met by a guardian's."""
    child, grown = stage.browser(), stage.browser()
    page = await question(stage, child, "p03", **demanded)
    whose = await stage.subject(child)
    await stage.aged(whose, 12, "child")
    page = await child.open(page.url)
    assert urlsplit(page.url).path.endswith("/later"), page.words
    await stage.sign_in(grown, await grown.open(f"{stage.origin}/sign-in"), "p02")
    who = await stage.subject(grown)
    await stage.aged(who, 41, "adult")
    asked = page.url.split("/consent/")[1].split("/")[0]
    async with stage.database.transaction() as session:
        birthday = korean_day(stage.at) + timedelta(days=700)
        of: dict[str, Any] = {"birthday": birthday, "called": "막내", "at": stage.now}
        mandate = await guardians.link(session, stage.journal, whose, who, party=stage.site.party, **of)

    page = await grown.open(f"{stage.origin}/for/{mandate.id}/consent/{asked}")

    assert (page.status, "본인만 답할 수 있어요" in page.words) == (403, True), page.words
    assert await stage.count("oauth_grant") == 0


async def test_two_citizens_who_answer_one_request_at_once_give_one_consent(stage: CitizenStage) -> None:
    """Somebody passed the address on: the first answer stands, the other one is told it is not theirs."""
    for _ in range(4):
        address = await stage.ask()
        pages = []
        for person in ("p02", "p01"):
            browser = stage.browser()
            page = await stage.sign_in(browser, await browser.open(address), person)
            pages.append((browser, page))

        sent = (b.submit(page, page.form("decision"), {"decision": "agree"}) for b, page in pages)
        ends = await asyncio.gather(*sent)

        assert sorted(end.status for end in ends) == [200, 403], [end.words[:200] for end in ends]
    states = [row.state for row in await stage.rows("consent")]
    assert (states.count("active"), states.count("requested")) == (4, 4)
    assert await stage.count("oauth_grant") == 4
