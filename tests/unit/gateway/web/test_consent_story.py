"""The question and its answer, as a citizen with a plain browser goes through them."""

from __future__ import annotations

from urllib.parse import urlsplit

import orjson
from sqlalchemy import text

from tests.citizen_stage import CitizenStage

MEMO = "hanbit-bank/finance.deposit-transactions/trans_memo"


async def test_agreeing_keeps_only_what_was_ticked(stage: CitizenStage) -> None:
    """Required items and ticked ones make the consent; the rest was not agreed to."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    assert page.status == 200, page.words
    form = page.form("item")
    assert not any(box.checked for box in form.fields)
    done = await browser.submit(
        page, form, {"item": ["nuri-telecom/telecom.bills"], "field": [MEMO], "decision": "agree"}
    )
    assert done.status == 200
    assert "동의했어요" in done.words
    (kept,) = await stage.rows("consent")
    agreed = {
        f"{d['holder']}/{i['dataset']}": i["fields"] for d in orjson.loads(kept.terms) for i in d["items"]
    }
    assert set(agreed) == {"hanbit-bank/finance.deposit-transactions", "nuri-telecom/telecom.bills"}
    assert "trans_memo" in agreed["hanbit-bank/finance.deposit-transactions"]
    (settled,) = await stage.rows("authorization_request")
    assert settled.allowed
    assert settled.consent_id == kept.id
    assert orjson.loads(settled.details) == orjson.loads(kept.terms)
    resume = next(link for link in done.links if "/authorize/resume/" in link)
    assert (await browser.open(resume)).text == "back at the service"


async def test_a_sensitive_field_left_alone_is_not_agreed_to(stage: CitizenStage) -> None:
    """Without its own tick the memo does not come along with the required item."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    await browser.submit(page, page.form("item"), {"item": None, "field": None, "decision": "agree"})
    (kept,) = await stage.rows("consent")
    assert "trans_memo" not in orjson.loads(kept.terms)[0]["items"][0]["fields"]
    assert "trans_memo" in orjson.loads(kept.asked)[0]["items"][0]["fields"]


async def test_refusing_never_fails_because_of_what_is_ticked(stage: CitizenStage) -> None:
    """A refusal with contradictory boxes is a refusal: nothing is granted, the service is told no."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    odd = {"field": ["dadam-market/retail.orders/orderedItem"], "item": None, "decision": "refuse"}
    done = await browser.submit(page, page.form("item"), odd)
    assert "동의하지 않았어요" in done.words
    (settled,) = await stage.rows("authorization_request")
    assert settled.allowed is False or settled.allowed == 0
    assert settled.consent_id is None
    assert [row.state for row in await stage.rows("consent")] == ["refused"]


async def test_the_first_answer_stands(stage: CitizenStage) -> None:
    """Sending the form a second time, with another answer, shows the first and changes nothing."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    form = page.form("item")
    await browser.submit(page, form, {"item": None, "decision": "agree"})
    again = await browser.submit(page, form, {"item": None, "decision": "refuse"})
    assert "동의했어요" in again.words
    assert [row.state for row in await stage.rows("consent")] == ["active"]


async def test_an_answer_after_the_request_expired_changes_nothing(stage: CitizenStage) -> None:
    """The page says so with its code; no consent, no settlement, no ledger entry."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    stage.later(seconds=3601)
    entries = await stage.count("ledger_outbox")
    late = await browser.submit(page, page.form("item"), {"item": None, "decision": "agree"})
    assert late.status == 410
    assert "request_expired" in late.words
    assert await stage.given() == 0
    assert await stage.count("ledger_outbox") == entries


async def test_an_unknown_request_says_so(stage: CitizenStage) -> None:
    """An address nobody was asked under is a clear page."""
    page = await stage.browser().open(f"{stage.origin}/consent/{'x' * 32}")
    assert page.status == 400
    assert "request_unknown" in page.words


async def test_another_persons_browser_is_not_shown_the_answer(stage: CitizenStage) -> None:
    """The ending belongs to the browser that answered."""
    browser, other = stage.browser(), stage.browser()
    page = await stage.at_question(browser)
    done = await browser.submit(page, page.form("item"), {"item": None, "decision": "agree"})
    await stage.at_question(other, person="p03")
    foreign = await other.open(done.url)
    assert foreign.status == 403
    assert "request_not_yours" in foreign.words


async def test_a_holder_that_is_down_is_named_and_stays_asked(stage: CitizenStage) -> None:
    """The page says which holder cannot be reached and why; its items can still be agreed to."""
    stage.down, stage.strangers = {"saebom-hospital"}, {"dadam-market"}
    browser = stage.browser()
    page = await stage.at_question(browser)
    assert "새봄병원에서 응답하지 않아요." in page.words
    assert "다담마켓에서 내 정보를 찾지 못했어요." in page.words
    assert {row.holder for row in await stage.rows("holder_link")} == {
        "hanbit-bank",
        "nuri-telecom",
        "haeoreum-energy",
    }
    chosen = {"item": ["saebom-hospital/medical.observations"], "decision": "agree"}
    done = await browser.submit(page, page.form("item"), chosen)
    assert "새봄병원 검사 결과" in done.words


async def test_links_are_stored_sealed(stage: CitizenStage) -> None:
    """What the holder calls the citizen stands nowhere in clear."""
    await stage.at_question(stage.browser())
    for row in await stage.rows("holder_link"):
        assert b"link-at" not in row.sealed


async def test_switching_the_language_keeps_what_is_ticked(stage: CitizenStage) -> None:
    """The English page has the same box ticked, and the consent records the language it was read in."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    ticked = {"item": ["nuri-telecom/telecom.bills"], "decision": "language-en"}
    english = await browser.submit(page, page.form("item"), ticked)
    assert "Send your data to Deundeun Budget?" in english.words
    boxes = {box.value: box.checked for box in english.form("item").fields if box.name == "item"}
    assert boxes["nuri-telecom/telecom.bills"]
    assert sum(boxes.values()) == 1
    assert await stage.given() == 0
    done = await browser.submit(english, english.form("item"), {"decision": "agree"})
    assert "You agreed" in done.words
    (kept,) = await stage.rows("consent")
    assert kept.language == "en"


async def test_the_whole_kept_text_stands_on_the_page(stage: CitizenStage) -> None:
    """Every line of the text whose hash the consent keeps is on the page that was answered."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    await browser.submit(page, page.form("item"), {"item": None, "decision": "agree"})
    (kept,) = await stage.rows("consent_text")
    shown = " ".join(page.words.split())
    for line in kept.body.splitlines():
        assert " ".join(line.split()) in shown


async def test_a_part_without_its_item_asks_again(stage: CitizenStage) -> None:
    """A sensitive part ticked under an unticked item is not guessed at: the page explains, boxes stay."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    part = "dadam-market/retail.orders/orderedItem"
    again = await browser.submit(
        page, page.form("item"), {"item": None, "field": [part], "decision": "agree"}
    )
    assert again.status == 422
    assert "다담마켓 주문 내역" in again.words
    assert any(box.value == part and box.checked for box in again.form("item").fields)
    assert await stage.given() == 0


async def test_nothing_chosen_asks_again(stage: CitizenStage) -> None:
    """With only optional items, agreeing to none of them is not an agreement."""
    browser = stage.browser()
    page = await stage.at_question(browser, (("nuri-telecom", "telecom.bills", False, "once"),))
    again = await browser.submit(page, page.form("item"), {"item": None, "decision": "agree"})
    assert again.status == 422
    assert "하나 이상" in again.words
    assert await stage.given() == 0


async def test_what_is_needed_and_sensitive_must_be_ticked(stage: CitizenStage) -> None:
    """A required health item has a box of its own; without its tick there is no agreement."""
    browser = stage.browser()
    page = await stage.at_question(browser, (("saebom-hospital", "medical.observations", True, "once"),))
    again = await browser.submit(page, page.form("item"), {"item": None, "decision": "agree"})
    assert again.status == 422
    assert await stage.given() == 0


async def test_a_child_is_sent_to_a_guardian(stage: CitizenStage) -> None:
    """Under 14 nothing can be agreed to here (PIPA 22-2)."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    async with stage.database.transaction() as session:
        await session.execute(text("UPDATE citizen_session SET age_band = 'child'"))
    refused = await browser.submit(page, page.form("item"), {"item": None, "decision": "agree"})
    assert refused.status == 403
    assert "guardian_needed" in refused.words
    assert await stage.given() == 0


async def test_the_page_never_asks_for_a_password(stage: CitizenStage) -> None:
    """No page on the way has a text or password input of ours, and the page says so."""
    page = await stage.at_question(stage.browser())
    kinds = {box.kind for form in page.forms for box in form.fields}
    assert kinds <= {"hidden", "checkbox", "submit"}
    assert "절대 묻지 않아요" in page.words
    assert urlsplit(page.url).query == ""


async def test_saying_no_needs_no_sign_in(stage: CitizenStage) -> None:
    """Before sign-in one press refuses: the service is told no, and nothing about a person is kept."""
    browser = stage.browser()
    page = await browser.open(await stage.ask())
    assert "든든가계부(주식회사 든든)에서" in page.text
    done = await browser.submit(page, page.form("decision"), {"decision": "refuse"})
    assert "동의하지 않았어요" in done.words
    (settled,) = await stage.rows("authorization_request")
    assert not settled.allowed
    assert await stage.given() == 0
    assert await stage.count("citizen") == 0
    resume = next(link for link in done.links if "/authorize/resume/" in link)
    assert (await browser.open(resume)).status == 200
    other = await stage.browser().open(done.url)
    assert other.status == 403


async def test_saying_no_comes_too_late_after_an_answer(stage: CitizenStage) -> None:
    """A refusal after the citizen agreed changes nothing."""
    browser = stage.browser()
    first = await browser.open(await stage.ask())
    page = await stage.sign_in(browser, first)
    await browser.submit(page, page.form("item"), {"item": None, "decision": "agree"})
    late = await browser.submit(first, first.form("decision"), {"decision": "refuse"})
    assert "동의했어요" in late.words
    assert [row.state for row in await stage.rows("consent")] == ["active"]
