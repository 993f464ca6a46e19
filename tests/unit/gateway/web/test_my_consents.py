"""The overview, one consent in words, the receipt, and withdrawal."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import insert

from consent import repository_use
from consent.tables import ConsentRow, ConsentVersionRow
from consent.usage import ItemOutcome
from gateway.demo.browser import Browser, Page
from gateway.web.paging import PAGE
from tests.citizen_stage import CitizenStage

BANK = "hanbit-bank/finance.deposit-transactions"
BILLS = "nuri-telecom/telecom.bills"


async def agreed(stage: CitizenStage, browser: Browser) -> str:
    """Agree to the bank and the telephone bills; the consent's id."""
    page = await stage.at_question(browser)
    await browser.submit(page, page.form("item"), {"item": [BILLS], "decision": "agree"})
    row = max(await stage.rows("consent"), key=lambda found: found.created_at)
    return str(row.id)


async def sent(stage: CitizenStage, consent: str) -> None:
    """One transfer: the bank complete, the bills refused by rule, the rest not chosen."""
    bank = ("account_num", "trans_dtime")
    outcomes = [
        ItemOutcome(consent, "t-1", BANK, bank, bank, {}, 41, "complete", None, None, stage.now),
        ItemOutcome(
            consent,
            "t-1",
            BILLS,
            ("charge_amt",),
            (),
            {"charge_amt": "periodic_to_general_recipient"},
            0,
            "refused",
            "periodic_to_general_recipient",
            "PIPA Decree 42-6(4)",
            stage.now,
        ),
    ]
    async with stage.database.transaction() as session:
        await repository_use.record(session, outcomes)


async def opened(stage: CitizenStage, browser: Browser, place: str) -> Page:
    """A page of the overview."""
    return await browser.open(f"{stage.origin}/my/consents{place}")


async def test_an_empty_overview_says_so(stage: CitizenStage) -> None:
    """Somebody who never agreed to anything reads just that."""
    browser = stage.browser()
    page = await stage.sign_in(browser, await opened(stage, browser, ""))
    assert "아직 동의한 것이 없어요" in page.words


async def test_the_overview_lists_state_end_and_last_use(stage: CitizenStage) -> None:
    """Each consent shows to whom, its state, until when, when data last went, and a way to end it."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    await sent(stage, consent)
    page = await opened(stage, browser, "")
    for words in ("든든가계부", "보내는 중", "2027년 5월\u00a021일", "2026년 11월\u00a022일 12:00"):
        assert words in page.text
    assert any(link.endswith(f"{consent}/withdraw") for link in page.links)


async def test_one_consent_says_what_was_sent_and_why_not(stage: CitizenStage) -> None:
    """Sent items with time and count; missing ones with the reason in words and the article of law."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    await sent(stage, consent)
    page = await opened(stage, browser, f"/{consent}")
    assert "41건" in page.words
    assert "일반수신자라서" in page.words
    assert "개인정보 보호법 시행령 제42조의6 제4항" in page.words
    assert "요청했지만 동의하지 않았어요" in page.words
    assert "1가지 정보를 보냈고, 1가지는 다 보내지 못했어요" in page.words
    assert "periodic_to" not in page.words


async def test_the_receipt_is_a_file(stage: CitizenStage) -> None:
    """The signed receipt comes under the consent's reference; until it exists the page says to wait."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    answer = await browser.http.get(f"{stage.origin}/my/consents/{consent}/receipt")
    assert answer.content == stage.receipt
    assert answer.headers["content-type"] == "application/jwt"
    assert consent in answer.headers["content-disposition"]
    stage.receipt = None
    later = await browser.http.get(f"{stage.origin}/my/consents/{consent}/receipt")
    assert later.status_code == 202
    assert later.headers["retry-after"] == "2"


@pytest.mark.parametrize("place", ["", "/withdraw", "/withdrawn", "/receipt"])
async def test_another_citizens_consent_is_not_there(stage: CitizenStage, place: str) -> None:
    """Somebody else's reference answers exactly like one that never was."""
    consent = await agreed(stage, stage.browser())
    other = stage.browser()
    await stage.at_question(other, person="p03")
    foreign = await opened(stage, other, f"/{consent}{place}")
    unknown = await opened(stage, other, f"/c-{'0' * 30}{place}")
    assert foreign.status == unknown.status == 404
    assert foreign.text == unknown.text


async def test_withdrawing_takes_one_confirmation(stage: CitizenStage) -> None:
    """Consequence first, then one press; holders are told in the same transaction; repeating is harmless."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    page = await opened(stage, browser, f"/{consent}/withdraw")
    assert "멈추는 것과 지우는 것은 달라요" in page.words
    assert "90일" in page.words
    done = await browser.submit(page, page.form("decision"), {"decision": "withdraw"})
    assert "철회했어요" in done.words
    assert consent in done.words
    assert set(stage.told) == {"hanbit-bank", "nuri-telecom"}
    again = await browser.submit(page, page.form("decision"), {"decision": "withdraw"})
    assert "철회했어요" in again.words
    assert len(stage.told) == 2
    assert [row.state for row in await stage.rows("consent")] == ["withdrawing"]
    shown = await opened(stage, browser, f"/{consent}")
    assert "철회 중" in shown.words
    assert not any(link.endswith("/withdraw") for link in shown.links)
    ended = await opened(stage, browser, f"/{consent}/withdraw")
    assert urlsplit(ended.url).path.endswith(consent)


async def test_another_person_cannot_withdraw(stage: CitizenStage) -> None:
    """A foreign reference changes nothing."""
    browser, other = stage.browser(), stage.browser()
    consent = await agreed(stage, browser)
    page = await opened(stage, browser, f"/{consent}/withdraw")
    await stage.at_question(other, person="p03")
    refused = await other.submit(page, page.form("decision"), {"decision": "withdraw"})
    assert refused.status == 404
    assert [row.state for row in await stage.rows("consent") if row.id == consent] == ["active"]


async def test_an_expired_consent_is_shown_as_ended(stage: CitizenStage) -> None:
    """Past its end nothing had to be written for it to be over."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    stage.later(days=200)
    page = await stage.sign_in(browser, await opened(stage, browser, f"/{consent}"))
    assert "기간이 끝났어요" in page.words
    assert not any(link.endswith("/withdraw") for link in page.links)


async def test_the_overview_speaks_english(stage: CitizenStage) -> None:
    """`?lang=en` switches and is remembered."""
    browser = stage.browser()
    await agreed(stage, browser)
    page = await opened(stage, browser, "?lang=en")
    assert "My consents" in page.words
    assert "My consents" in (await opened(stage, browser, "")).words


async def many(stage: CitizenStage, browser: Browser, number: int) -> list[str]:
    """One consent given, and `number` more of the same citizen, each a minute older; ids, newest first."""
    newest = await agreed(stage, browser)
    (row,) = await stage.rows("consent")
    first = next(row for row in await stage.rows("consent_version") if row.move == "give")
    made = [f"c-old-{n}" for n in range(number)]
    async with stage.database.transaction() as session:
        for n, id in enumerate(made, 1):
            given = row.created_at - 60 * ((n + 1) // 2)  # every other one in the same second
            values = {**row._mapping, "id": id, "request_id": id, "created_at": given, "changed_at": given}
            await session.execute(insert(ConsentRow).values(**values))
            await session.execute(insert(ConsentVersionRow).values(**{**first._mapping, "consent_id": id}))
    return [newest, *made]


def next_page(page: Page) -> str | None:
    """Where the link to the older rest leads."""
    return next((link for link in page.links if "before=" in link and "#" not in link), None)


async def test_a_long_overview_comes_in_pages(stage: CitizenStage) -> None:
    """Every consent is on exactly one page, in order; plain links lead through, and back to the newest."""
    browser = stage.browser()
    made = await many(stage, browser, 2 * PAGE + 5)
    seen: list[str] = []
    page = await opened(stage, browser, "")
    for _ in range(3):
        cards = [link.rpartition("/")[2] for link in page.links if re.search(r"/my/consents/c-[^/?]+$", link)]
        assert len(cards) <= PAGE
        seen += dict.fromkeys(cards)
        if (further := next_page(page)) is None:
            break
        page = await browser.open(further)
        assert "최근 것부터 보기" in page.words
    assert sorted(seen) == sorted(made)
    assert seen[0] == made[0]


@pytest.mark.parametrize("place", ["1.c", "0.x", "x", "1", f"{10**13}.c-1", "1.c'; --"])
async def test_a_place_that_is_none_shows_the_newest(stage: CitizenStage, place: str) -> None:
    """A made-up or empty place leads to the first page, never to an error or to an empty list."""
    browser = stage.browser()
    await agreed(stage, browser)
    page = await opened(stage, browser, f"?before={quote(place)}")
    assert page.status == 200
    assert "든든가계부" in page.words


async def test_a_long_history_comes_in_pages(stage: CitizenStage) -> None:
    """Each transfer and each move is told once; the table of items always tells the latest transfer."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    begun = stage.now
    async with stage.database.transaction() as session:
        for n in range(2 * PAGE + 1):
            one = ItemOutcome(
                consent, f"t-{n}", BANK, ("a",), ("a",), {}, n, "complete", None, None, begun + n
            )
            await repository_use.record(session, [one])
    page = await opened(stage, browser, f"/{consent}")
    told = 0
    for _ in range(3):
        assert f"{2 * PAGE}건" in page.words, "the latest transfer's records"
        here = page.words.count("1가지 정보를 보냈")
        assert 0 < here <= PAGE
        told += here
        if (further := next_page(page)) is None:
            break
        assert "동의했어요" not in page.words.rpartition("지금까지 있었던 일")[2]
        page = await browser.open(further)
    assert told == 2 * PAGE + 1
    assert "동의했어요" in page.words.rpartition("지금까지 있었던 일")[2]
