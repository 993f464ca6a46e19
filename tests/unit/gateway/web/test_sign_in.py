"""Sign-in through a real provider, and every way in which what comes back does not count."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from gateway.demo.browser import Browser
from tests.citizen_stage import CitizenStage


async def to_provider(stage: CitizenStage, browser: Browser) -> tuple[str, str]:
    """Go to the provider and choose a person there; the address that leads back, not yet followed."""
    page = await browser.open(await stage.ask())
    go = next(link for link in page.links if "/sign-in/start" in link)
    choices = await browser.open(go)
    form = choices.form("person")
    hidden = {box.name: box.value for box in form.fields if box.kind == "hidden"}
    answer = await browser.http.post(choices.url, data={**hidden, "person": "p02"})
    return answer.headers["location"], page.url


def altered(address: str, **changes: str | None) -> str:
    """The address with query parameters replaced; None drops one."""
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    kept = {name: value for name, value in query.items() if value is not None}
    return parts._replace(query=urlencode(kept)).geturl()


async def test_the_citizen_is_told_before_leaving(stage: CitizenStage) -> None:
    """The first page names who will confirm identity; leaving is the citizen's own press."""
    page = await stage.browser().open(await stage.ask())
    assert urlsplit(page.url).path == "/sign-in"
    assert "체험용 본인 확인으로 이동해" in page.words


async def test_signing_in_leads_back_to_the_question(stage: CitizenStage) -> None:
    """The way ends at the request it began with, in a fresh session, with one ledger entry."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    assert urlsplit(page.url).path.startswith("/consent/")
    assert len(await stage.rows("citizen_session")) == 1
    assert await stage.count("citizen_sign_in") == 0
    for row in await stage.rows("citizen"):
        assert "p02" not in row.identity_hash


async def test_the_same_person_is_the_same_subject(stage: CitizenStage) -> None:
    """Twice the same person, once another: two subjects."""
    for person in ("p02", "p02", "p03"):
        await stage.at_question(stage.browser(), person=person)
    assert await stage.count("subject") == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "another"},
        {"state": None},
        {"iss": "https://evil.test"},
        {"iss": None},
        {"code": None},
        {"code": "another"},
        {"code": "a b"},
        {"error": "access_denied", "code": None},
    ],
)
async def test_a_changed_answer_signs_nobody_in(stage: CitizenStage, changes: dict[str, str | None]) -> None:
    """State, issuer and code must be the provider's own (RFC 9207); else a clear page and no session."""
    browser = stage.browser()
    back, _ = await to_provider(stage, browser)
    page = await browser.open(altered(back, **changes))
    assert page.status == 403
    assert "sign_in_failed" in page.words
    assert await stage.count("citizen_session") == 0


async def test_an_answer_counts_once(stage: CitizenStage) -> None:
    """The same address a second time signs nobody in."""
    browser = stage.browser()
    back, _ = await to_provider(stage, browser)
    await browser.open(back)
    again = await browser.open(back)
    assert again.status == 403
    assert await stage.count("citizen_session") == 1


async def test_an_answer_counts_only_in_the_browser_that_left(stage: CitizenStage) -> None:
    """Somebody else's answer in my browser does not sign me in as them."""
    back, _ = await to_provider(stage, stage.browser())
    page = await stage.browser().open(back)
    assert page.status == 403
    assert await stage.count("citizen_session") == 0


async def test_an_answer_counts_ten_minutes(stage: CitizenStage) -> None:
    """Later the sign-in has to begin again."""
    browser = stage.browser()
    back, _ = await to_provider(stage, browser)
    stage.later(seconds=601)
    page = await browser.open(back)
    assert page.status == 403


async def test_a_doubled_parameter_is_refused(stage: CitizenStage) -> None:
    """Two states or two codes are no answer."""
    browser = stage.browser()
    back, _ = await to_provider(stage, browser)
    page = await browser.open(back + "&state=x")
    assert page.status == 403


async def test_a_provider_that_is_down_is_said(stage: CitizenStage) -> None:
    """The page says that identity cannot be confirmed now; nothing changed."""
    stage.network.by_host.pop("id.test")
    browser = stage.browser()
    page = await browser.open(await stage.ask())
    down = await browser.open(next(link for link in page.links if "/sign-in/start" in link))
    assert down.status == 503
    assert "identity_unavailable" in down.words


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.test/",
        "//evil.test",
        "/consent/../../evil",
        "/authorize",
        "javascript:alert(1)",
        "/consent/x y",
    ],
)
async def test_nobody_is_led_away_after_sign_in(stage: CitizenStage, place: str) -> None:
    """`to` can only be a page of ours; anything else leads home."""
    browser = stage.browser()
    page = await browser.open(f"{stage.origin}/sign-in?{urlencode({'to': place})}")
    assert [link for link in page.links if "/sign-in/start" in link] == [
        f"{stage.origin}/sign-in/start?to=/my/consents"
    ]


async def test_signing_out_ends_the_session(stage: CitizenStage) -> None:
    """Afterwards the overview asks to sign in again."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    out = await browser.submit(page, page.forms[-1], {})
    assert "로그아웃했어요" in out.words
    assert await stage.count("citizen_session") == 0
    again = await browser.open(f"{stage.origin}/my/consents")
    assert urlsplit(again.url).path == "/sign-in"


async def test_a_second_request_with_new_holders_links_them(stage: CitizenStage) -> None:
    """A holder that does not know the citizen yet needs the provider's word, so sign-in comes first."""
    browser = stage.browser()
    await stage.at_question(browser, (("hanbit-bank", "finance.deposit-transactions", True, "once"),))
    assert await stage.count("holder_link") == 1
    page = await browser.open(await stage.ask())
    assert urlsplit(page.url).path == "/sign-in"
    question = await stage.sign_in(browser, page)
    assert urlsplit(question.url).path.startswith("/consent/")
    assert await stage.count("holder_link") == 5


async def test_a_holder_that_was_down_is_tried_again_at_the_next_sign_in(stage: CitizenStage) -> None:
    """What was agreed to while a holder was down gets its link when the citizen comes back."""
    stage.down = {"hanbit-bank"}
    browser = stage.browser()
    page = await stage.at_question(browser, (("hanbit-bank", "finance.deposit-transactions", True, "once"),))
    await browser.submit(page, page.form("interaction"), {"decision": "agree"})
    assert await stage.count("holder_link") == 0
    stage.down = set()
    other = stage.browser()
    await stage.sign_in(other, await other.open(f"{stage.origin}/my/consents"))
    assert await stage.count("holder_link") == 1


async def test_cookies_are_secure(stage: CitizenStage) -> None:
    """Every cookie of the way is HttpOnly and Secure, and dies when its use is over."""
    browser = stage.browser()
    back, _ = await to_provider(stage, browser)
    answer: httpx.Response = await browser.http.get(back)
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "Secure" in cookie
        assert "samesite=lax" in cookie.lower()
    assert any("sign-in" in cookie and "Max-Age=0" in cookie for cookie in cookies)
