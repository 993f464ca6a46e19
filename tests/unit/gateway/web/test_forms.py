"""Posted forms are read strictly, through the doors of the pages."""

from __future__ import annotations

import httpx
import pytest

from tests.citizen_stage import CitizenStage

FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


async def posted(stage: CitizenStage, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    """The answer to `body` sent to a consent page by a signed-in browser; `@` stands for the interaction."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    form = page.form("item")
    values = {box.name: box.value for box in form.fields if box.kind == "hidden"}
    filled = body.replace(b"@", values["interaction"].encode()).replace(b"$", values["shown"].encode())
    return await browser.http.post(page.url, content=filled, headers=headers or FORM)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"interaction=@&decision=agree",
        b"shown=$&decision=agree",
        b"interaction=&shown=$&decision=agree",
        b"interaction=@&interaction=@&shown=$&decision=agree",
        b"interaction=@&shown=$&decision=agree&decision=refuse",
        b"interaction=@&shown=$&decision=agree&extra=1",
        b"interaction=@&shown=$&decision=perhaps",
        b"interaction=another&shown=$&decision=agree",
        b"interaction=@&shown=$&decision=agree&item=nuri-telecom/telecom.bills&item=nuri-telecom/telecom.bills",
        b"interaction=@&shown=$&decision=agree&item=hanbit-bank/finance.deposit-transactions",
        b"interaction=@&shown=$&decision=agree&item=another-bank/finance.deposit-transactions",
        b"interaction=@&shown=$&decision=agree&field=hanbit-bank/finance.deposit-transactions/balance_amt",
        b"interaction=@&shown=$&decision=agree&field=trans_memo",
        b"interaction=@&shown=$&decision=agree&item=%ff%fe",
        b"interaction=@&shown=$&decision=\xea\xb0\x80",
        b"interaction=@&shown=$&decision",
    ],
)
async def test_what_the_page_could_not_have_sent_is_refused(stage: CitizenStage, body: bytes) -> None:
    """Missing, doubled, unknown, foreign or broken values: one clear page, nothing changed."""
    answer = await posted(stage, body)
    assert answer.status_code == 400
    assert "form_invalid" in answer.text
    assert await stage.given() == 0


async def test_another_media_type_is_refused(stage: CitizenStage) -> None:
    """Only a form is a form."""
    headers = {**FORM, "content-type": "application/json"}
    answer = await posted(stage, b'{"decision": "agree"}', headers)
    assert answer.status_code == 400
    assert await stage.given() == 0


async def test_a_huge_form_is_refused(stage: CitizenStage) -> None:
    """More than a page can send is not read."""
    answer = await posted(stage, b"interaction=@&shown=$&decision=agree&item=" + b"x" * 70_000)
    assert answer.status_code == 413
    assert await stage.given() == 0


async def test_another_site_cannot_answer(stage: CitizenStage) -> None:
    """A form on another site, sent with the citizen's own cookie, changes nothing."""
    headers = {**FORM, "sec-fetch-site": "cross-site", "origin": "https://evil.test"}
    answer = await posted(stage, b"interaction=@&shown=$&decision=agree", headers)
    assert answer.status_code == 403
    assert "cross_origin" in answer.text
    assert "다른 사이트" in answer.text or "Another site" in answer.text
    assert await stage.given() == 0


async def test_a_text_that_changed_is_shown_again(stage: CitizenStage) -> None:
    """Agreement to a text that is no longer the current one does not count; the ticks stay."""
    body = b"interaction=@&shown=00&decision=agree&item=nuri-telecom/telecom.bills"
    answer = await posted(stage, body)
    assert answer.status_code == 409
    assert " checked" in answer.text
    assert await stage.given() == 0


async def test_no_decision_asks_for_one(stage: CitizenStage) -> None:
    """A form sent without pressing either button is answered with the page and what to do."""
    answer = await posted(stage, b"interaction=@&shown=$")
    assert answer.status_code == 422
    assert await stage.given() == 0


async def test_without_a_session_nothing_is_decided(stage: CitizenStage) -> None:
    """When the session has ended the page says so and leads back to sign-in."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    browser.http.cookies.clear()
    late = await browser.submit(page, page.form("item"), {"item": None, "decision": "agree"})
    assert late.status == 401
    assert "sign_in_needed" in late.words
    assert any("/sign-in?to=/consent/" in link for link in late.links)
    assert await stage.given() == 0
