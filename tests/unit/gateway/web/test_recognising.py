"""scope openid on the page: an item of its own, in the kept text, kept with the answer; and signing out."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete

from gateway.demo.browser import Browser, Page
from gateway.oauth.tables import ClientRow
from tests.citizen_stage import CitizenStage

CLIENT = "deundeun-budget"


async def register_anew(stage: CitizenStage, **members: Any) -> None:
    """The company registers with other members than before."""
    async with stage.database.transaction() as session:
        await session.execute(delete(ClientRow))
    await stage.register(**members)


async def asked(stage: CitizenStage, browser: Browser, **parameters: Any) -> Page:
    """The question, before a signed-in citizen."""
    wanted: dict[str, Any] = {"scope": "openid", "nonce": "n", **parameters}
    page = await browser.open(await stage.ask(**wanted))
    return await stage.sign_in(browser, page) if urlsplit(page.url).path == "/sign-in" else page


async def agree(browser: Browser, page: Page, *claims: str) -> Page:
    """Agree to what is required, with these personal claims ticked."""
    choose: dict[str, str | list[str] | None] = {"decision": "agree", "claim": list(claims)}
    return await browser.submit(page, page.form("decision"), choose)


async def test_recognition_is_an_item_of_its_own(stage: CitizenStage) -> None:
    """It is shown and kept word for word; a request without openid shows nothing of it."""
    browser = stage.browser()
    page = await asked(stage, browser)
    assert page.words.count("이 서비스에만 쓰는 번호를 알려 줘요") == 2  # the item, and the kept text
    assert "내가 쓰는 언어" not in page.words
    await agree(browser, page)
    (text,) = await stage.rows("consent_text")
    assert "나를 알아보는 것" in text.body
    assert "이름, 생년월일, 전화번호, 주소는 알려 주지 않아요" in text.body
    plain = await browser.open(await stage.ask())
    assert "알아보" not in plain.words


async def test_agreeing_keeps_what_the_provider_said_and_nothing_of_the_person(stage: CitizenStage) -> None:
    """One row, one ledger entry, in the transaction of the answer."""
    browser = stage.browser()
    await agree(browser, await asked(stage, browser))
    (row,) = await stage.rows("oauth_recognition")
    assert (row.scope, row.nonce, row.acr, row.amr) == (
        "openid",
        "n",
        "urn:mydata:acr:sandbox",
        '["sandbox"]',
    )
    assert row.auth_time == stage.now
    assert row.locale is None
    kept = [one.idem for one in await stage.rows("ledger_payload")]
    assert kept.count(f"recognition:{row.interaction_id}") == 1


async def test_refusing_keeps_nothing_of_it(stage: CitizenStage) -> None:
    """No answer, no recognition."""
    browser = stage.browser()
    page = await asked(stage, browser)
    await browser.submit(page, page.form("decision"), {"decision": "refuse"})
    assert await stage.count("oauth_recognition") == 0


@pytest.mark.parametrize("ticked", [True, False])
async def test_the_language_is_told_only_if_ticked(stage: CitizenStage, ticked: bool) -> None:
    """The box comes unticked, survives a switch of language, and decides."""
    browser = stage.browser()
    page = await asked(stage, browser, scope="openid profile")
    (box,) = [field for field in page.form("decision").fields if field.name == "claim"]
    assert (box.value, box.checked) == ("locale", False)
    claims = ["locale"] if ticked else []
    english = await browser.submit(
        page, page.form("decision"), {"decision": "language-en", "claim": list(claims)}
    )
    (box,) = [field for field in english.form("decision").fields if field.name == "claim"]
    assert box.checked is ticked
    await agree(browser, english, *claims)
    (row,) = await stage.rows("oauth_recognition")
    assert row.locale == ("en" if ticked else None)
    assert ("locale" in json.loads(row.told)) is ticked


async def test_a_claim_that_was_not_on_the_page_is_refused(stage: CitizenStage) -> None:
    """Nothing can be ticked that was not offered."""
    browser = stage.browser()
    page = await asked(stage, browser)
    answer = await agree(browser, page, "locale")
    assert (answer.status, "form_invalid" in answer.text) == (400, True)
    assert await stage.given() == 0


async def test_a_shared_number_is_said_to_be_shared(stage: CitizenStage) -> None:
    """A client with a sector_identifier_uri: the page names the sector."""
    await register_anew(stage, sector_identifier_uri="https://group.example/sector.json")
    browser = stage.browser()
    page = await asked(stage, browser)
    assert "group.example에 함께 등록된 서비스끼리는 같은 번호로 알아보고" in page.words


async def test_a_login_hint_does_not_outlive_the_answer(stage: CitizenStage) -> None:
    """It names a person; once the request is answered it is gone from the store."""
    browser = stage.browser()
    page = await asked(stage, browser, login_hint="hong@example.org")
    (row,) = await stage.rows("authorization_request")
    assert "hong@example.org" in row.parameters
    await agree(browser, page)
    (row,) = await stage.rows("authorization_request")
    assert "hong@example.org" not in row.parameters
    assert '"nonce"' in row.parameters


async def test_a_sign_out_a_service_asks_for(stage: CitizenStage) -> None:
    """Nothing ends before the citizen presses; then the session is gone and consents are not."""
    browser = stage.browser()
    await agree(browser, await asked(stage, browser))
    page = await browser.open(f"{stage.origin}/logout?state=s")
    assert "로그아웃할까요?" in page.words
    assert await stage.count("citizen_session") == 1
    stayed = await browser.submit(page, page.form("decision"), {"decision": "stay"})
    assert "로그아웃하지 않았어요" in stayed.words
    assert await stage.count("citizen_session") == 1
    ended = await browser.submit(page, page.form("decision"), {"decision": "sign-out"})
    assert "로그아웃했어요" in ended.words
    assert not [link for link in ended.links if "callback" in link]
    assert await stage.count("citizen_session") == 0
    assert [row.state for row in await stage.rows("consent")] == ["active"]


async def test_the_way_back_after_a_sign_out(stage: CitizenStage) -> None:
    """Only with an id_token of ours for this client, and only to an address registered exactly."""
    after = "https://deundeun.example/bye?x=1"
    await register_anew(stage, post_logout_redirect_uris=[after])
    stranger = stage.key.sign({"iss": stage.origin, "aud": "other", "sub": "x", "iat": 1, "exp": 2}, "JWT")
    hint = stage.key.sign({"iss": stage.origin, "aud": CLIENT, "sub": "x", "iat": 1, "exp": 2}, "JWT")
    right = {"id_token_hint": hint, "post_logout_redirect_uri": after, "state": "s t", "client_id": CLIENT}
    browser = stage.browser("en")
    for changed, fine in (
        ({}, True),
        ({"client_id": ""}, True),
        ({"id_token_hint": stranger}, False),
        ({"id_token_hint": ""}, False),
        ({"id_token_hint": hint[:-4] + "AAAA"}, False),
        ({"client_id": "second"}, False),
        ({"post_logout_redirect_uri": "https://deundeun.example/bye"}, False),
        ({"post_logout_redirect_uri": "https://evil.example/"}, False),
        ({"state": "x" * 5000}, False),
    ):
        query = {name: value for name, value in {**right, **changed}.items() if value}
        for method in ("GET", "POST"):
            sent: dict[str, Any] = {"params": query} if method == "GET" else {"data": query}
            response = await browser.http.request(method, f"{stage.origin}/logout", **sent)
            assert response.status_code == 200, response.text
        page = await browser.open(
            str(browser.http.build_request("GET", f"{stage.origin}/logout", params=query).url)
        )
        done = await browser.submit(page, page.form("decision"), {"decision": "sign-out"})
        back = [link for link in done.links if "example" in link]
        assert back == ([f"{after}&state=s+t"] if fine else []), changed


async def test_another_site_can_neither_sign_out_nor_confirm(stage: CitizenStage) -> None:
    """A cross-site form reaches the question at most; the confirmation is for our own page alone."""
    browser = stage.browser()
    await asked(stage, browser)
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example", "Accept": "text/html"}
    shown = await browser.http.post(f"{stage.origin}/logout", data={"decision": "sign-out"}, headers=headers)
    assert (shown.status_code, await stage.count("citizen_session")) == (200, 1)
    sent = {"decision": "sign-out"}
    refused = await browser.http.post(f"{stage.origin}/logout/confirm", data=sent, headers=headers)
    assert (refused.status_code, await stage.count("citizen_session")) == (403, 1)
