"""prompt, max_age, hints and classes: what is asked of the provider, and who may answer after that."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.demo.browser import Browser, Left, Page
from gateway.oauth import clients
from tests.citizen_stage import CitizenStage
from tests.oauth_company import REDIRECT

ACR = "urn:mydata:acr:sandbox"


async def sent_back(stage: CitizenStage, browser: Browser, **asked: Any) -> dict[str, str]:
    """What the client is told without any page; nothing but the ledger-free visit happened."""
    counted = {name: await stage.count(name) for name in ("consent", "oauth_grant", "oauth_recognition")}
    with pytest.raises(Left) as left:
        await browser.open(await stage.ask(**asked))
    assert left.value.url.startswith(REDIRECT)
    for name, before in counted.items():
        assert await stage.count(name) == before
    assert all(row.settled_at is None for row in await stage.rows("authorization_request"))
    return left.value.query


async def wished(stage: CitizenStage, browser: Browser, **asked: Any) -> dict[str, str]:
    """The parameters with which the browser is sent to the provider."""
    page = await browser.open(await stage.ask(**asked))
    go = next(link for link in page.links if "/sign-in/start" in link)
    response = await browser.http.get(go)
    query = parse_qs(urlsplit(response.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


def at_the_question(page: Page) -> bool:
    """Whether the consent page is shown."""
    return urlsplit(page.url).path.startswith("/consent/") and page.status == 200


async def test_a_silent_request_never_shows_a_page(stage: CitizenStage) -> None:
    """Core 3.1.2.6: login_required without a session, consent_required with one; state and iss go along."""
    browser = stage.browser()
    told = await sent_back(stage, browser, prompt="none", state="s-1")
    assert told == {"error": "login_required", "state": "s-1", "iss": stage.origin}
    await stage.at_question(browser)
    told = await sent_back(stage, browser, prompt="none")
    assert told == {"error": "consent_required", "iss": stage.origin}
    stage.later(minutes=5)
    told = await sent_back(stage, browser, prompt="none", max_age="60")
    assert told["error"] == "login_required"


async def test_a_silent_request_is_told_by_signed_response(stage: CitizenStage) -> None:
    """JARM: the error stands inside the JWT only."""
    told = await sent_back(stage, stage.browser(), prompt="none", response_mode="jwt")
    assert set(told) == {"response"}


async def test_a_silent_request_cannot_be_answered(stage: CitizenStage) -> None:
    """Its page was never shown, so a form for it is not one of ours."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    id = (await stage.ask(prompt="none")).rpartition("/")[2]
    form = page.form("decision")
    form.action = f"/consent/{id}"
    answer = await browser.submit(page, form, {"decision": "agree", "interaction": id})
    assert (answer.status, "form_invalid" in answer.text) == (400, True)


async def test_prompt_login_asks_again_in_spite_of_a_session(stage: CitizenStage) -> None:
    """The old session does not do, the provider is asked for a new sign-in, and the new one does."""
    browser = stage.browser()
    await stage.at_question(browser)
    first = (await stage.rows("citizen_session"))[0].auth_time
    page = await browser.open(await stage.ask(prompt="login"))
    assert urlsplit(page.url).path == "/sign-in"
    go = next(link for link in page.links if "/sign-in/start" in link)
    query = parse_qs(urlsplit((await browser.http.get(go)).headers["location"]).query)
    assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
    assert at_the_question(await stage.sign_in(browser, page))
    (row,) = await stage.rows("citizen_session")
    assert row.auth_time > first


async def test_max_age_is_the_age_at_the_request(stage: CitizenStage) -> None:
    """Old enough: signed in again. Young enough at the request: the page, however long it is read."""
    browser = stage.browser()
    await stage.at_question(browser)
    assert at_the_question(await browser.open(await stage.ask(max_age="10000")))
    address = await stage.ask(max_age="10")
    assert at_the_question(await browser.open(address))
    stage.later(seconds=60)
    assert at_the_question(await browser.open(address))
    page = await browser.open(await stage.ask(max_age="10"))
    assert urlsplit(page.url).path == "/sign-in"
    assert at_the_question(await stage.sign_in(browser, page))


async def test_select_account_wants_a_sign_in_of_its_own(stage: CitizenStage) -> None:
    """Whoever is signed in already is asked who they want to be."""
    browser = stage.browser()
    await stage.at_question(browser)
    page = await browser.open(await stage.ask(prompt="select_account"))
    assert urlsplit(page.url).path == "/sign-in"
    assert at_the_question(await stage.sign_in(browser, page, "p03"))


async def test_the_hint_goes_to_the_provider_and_nowhere_else(
    stage: CitizenStage, capsys: pytest.CaptureFixture[str]
) -> None:
    """login_hint and acr_values are passed on; no page of ours and no log line shows the hint."""
    asked = await wished(stage, stage.browser(), login_hint="p03", acr_values=f"{ACR} urn:other")
    assert (asked["login_hint"], asked["acr_values"]) == ("p03", f"{ACR} urn:other")
    hint = "hong@example.org"
    page = await stage.browser().open(await stage.ask(login_hint=hint))
    assert hint not in page.text + page.url
    heard = capsys.readouterr()
    assert hint not in heard.out + heard.err


async def test_the_hinted_person_stands_first_at_the_provider(stage: CitizenStage) -> None:
    """A hint orders the sandbox's list and chooses nobody."""
    browser = stage.browser()
    page = await browser.open(await stage.ask(login_hint="p03"))
    choices = await browser.open(next(link for link in page.links if "/sign-in/start" in link))
    people = [field.value for field in choices.form("person").fields if field.name == "person"]
    assert people[0] == "p03"
    assert len(people) == len(set(people)) == 7


async def test_nothing_is_wished_of_a_plain_sign_in(stage: CitizenStage) -> None:
    """Without such parameters the provider is asked as before."""
    asked = await wished(stage, stage.browser())
    assert not {"prompt", "max_age", "acr_values", "login_hint"} & asked.keys()


async def test_an_essential_class_that_is_not_reached_goes_back_to_the_client(stage: CitizenStage) -> None:
    """Core 5.5.1.1: the class the provider names must be one of those; else the sign-in has failed."""
    browser = stage.browser()
    good = json.dumps({"id_token": {"acr": {"essential": True, "values": ["urn:x", ACR]}}})
    page = await browser.open(await stage.ask(scope="openid", claims=good))
    assert at_the_question(await stage.sign_in(browser, page))
    bad = json.dumps({"id_token": {"acr": {"essential": True, "value": "urn:strongest"}}})
    page = await browser.open(await stage.ask(scope="openid", claims=bad, state="s"))
    assert urlsplit(page.url).path == "/sign-in"
    with pytest.raises(Left) as left:
        await stage.sign_in(browser, page)
    assert left.value.query["error"] == "unmet_authentication_requirements"
    assert left.value.query["state"] == "s"
    wish: dict[str, Any] = {"id_token": {"acr": {"values": ["urn:strongest"]}}}
    assert at_the_question(await browser.open(await stage.ask(scope="openid", claims=json.dumps(wish))))


async def test_only_the_citizen_who_was_meant_may_answer(stage: CitizenStage) -> None:
    """Core 3.1.2.2 and 5.5.1: a sub by hint or by claim; another person leads back with login_required."""
    browser = stage.browser()
    await stage.at_question(browser)
    (row,) = await stage.rows("citizen_session")
    async with stage.database.reading() as session:
        client = await clients.find(session, "deundeun-budget")
    assert client is not None
    sub = stage.server.minter.subject(client, row.subject_id)
    by_claim = json.dumps({"id_token": {"sub": {"value": sub}}})
    meant: list[dict[str, Any]] = [{"hinted": sub}, {"claims": by_claim}]
    for mine in meant:
        assert at_the_question(await browser.open(await stage.ask(scope="openid", **mine)))
    page = await browser.open(await stage.ask(scope="openid", hinted="somebody-else"))
    assert urlsplit(page.url).path == "/sign-in"
    with pytest.raises(Left) as left:
        await stage.sign_in(browser, page)
    assert left.value.query["error"] == "login_required"


async def test_the_page_opens_in_the_language_the_client_wished(stage: CitizenStage) -> None:
    """ui_locales counts before Accept-Language and after what the citizen chose."""
    browser = stage.browser("ko")
    page = await browser.open(await stage.ask(ui_locales="fr-CA en"))
    assert "First, let us confirm who you are" in page.words
    question = await stage.sign_in(browser, page)
    assert "You do not have to agree" in question.words
    korean = await browser.open(f"{question.url}?lang=ko")
    assert "동의하지 않아도 돼요" in korean.words
    again = await browser.open(await stage.ask(ui_locales="en"))
    assert "동의하지 않아도 돼요" in again.words
