"""A request that waits: shown, put off, answered later, lapsed; and who was left where (row 30, check 40)."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from consent.calendar import korean_day
from gateway.demo.browser import Left
from gateway.oauth import abandonment
from gateway.oauth.stages import Ending
from tests.citizen_stage import CitizenStage

BILLS = "nuri-telecom/telecom.bills"


async def records(stage: CitizenStage) -> list[tuple[str, int, str, str | None]]:
    """State, version, by and why of every record."""
    return [(row.state, row.version, row.by, row.why) for row in await stage.rows("consent")]


async def moves(stage: CitizenStage) -> list[str]:
    """Every move of every record, in order."""
    rows = sorted(await stage.rows("consent_version"), key=lambda row: (row.consent_id, row.version))
    return [row.move for row in rows]


async def counts(stage: CitizenStage) -> dict[Ending, int]:
    """Every flow counted so far, by ending."""
    day = korean_day(stage.at)
    async with stage.database.reading() as session:
        found = await abandonment.abandonments(session, day - timedelta(days=9), day)
    return {one.ending: one.number for one in found}


async def put_off(stage: CitizenStage, browser: Any) -> tuple[Any, Any]:
    """At the question, then put off: both pages."""
    page = await stage.at_question(browser)
    return page, await browser.submit(page, page.form("item"), {"item": None, "decision": "later"})


async def test_check_40_a_shown_request_is_on_record_and_leaving_changes_nothing(stage: CitizenStage) -> None:
    """One record with its text, one entry, however often the page is opened; no grant, nothing settled."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    entries = await stage.count("ledger_payload")
    await browser.open(page.url)
    await browser.open(page.url)
    assert await records(stage) == [("requested", 0, "recipient", None)]
    assert await moves(stage) == ["ask"]
    assert await stage.count("ledger_payload") == entries
    assert await stage.count("oauth_grant") == await stage.given() == 0
    assert (await stage.rows("authorization_request"))[0].settled_at is None
    (record,), (text,) = await stage.rows("consent"), await stage.rows("consent_text")
    assert record.text_hash == text.hash


async def test_answering_moves_the_record_that_was_shown(stage: CitizenStage) -> None:
    """The consent has the id of the request on record; its history says asked, then given."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    (asked,) = await stage.rows("consent")
    await browser.submit(page, page.form("item"), {"item": [BILLS], "decision": "agree"})
    assert [row.id for row in await stage.rows("consent")] == [asked.id]
    assert await records(stage) == [("active", 1, "citizen", None)]
    assert await moves(stage) == ["ask", "give"]


async def test_deciding_later_tells_nobody_and_can_be_answered_from_the_overview(stage: CitizenStage) -> None:
    """Nothing usable comes of it; the overview leads back to the question, and the answer counts."""
    browser = stage.browser()
    _, later = await put_off(stage, browser)
    assert later.url.endswith("/later")
    assert "나중에 결정하기로 했어요" in later.words
    assert await records(stage) == [("deferred", 1, "citizen", None)]
    assert (await stage.rows("authorization_request"))[0].settled_at is None
    assert await stage.count("oauth_grant") == 0
    stage.later(minutes=20)
    mine = await browser.open(f"{stage.origin}/my/consents")
    assert "나중에 답하기로 했어요" in mine.words
    assert "마지막으로 보낸 때" not in mine.words
    page = await browser.open(next(link for link in mine.links if "/consent/" in link and "/my/" not in link))
    done = await browser.submit(page, page.form("item"), {"item": [BILLS], "decision": "agree"})
    assert "동의했어요" in done.words
    assert await moves(stage) == ["ask", "defer", "give"]
    assert await stage.given() == 1


async def test_deciding_later_twice_is_once_and_refusing_then_counts(stage: CitizenStage) -> None:
    """The button pressed again, from the first page too, adds nothing; a no from the later page is a no."""
    browser = stage.browser()
    page, later = await put_off(stage, browser)
    again = await browser.submit(page, page.form("item"), {"item": None, "decision": "later"})
    assert again.url == later.url
    assert await moves(stage) == ["ask", "defer"]
    done = await browser.submit(later, later.form("interaction"), {"decision": "refuse"})
    assert "동의하지 않았어요" in done.words
    assert await records(stage) == [("refused", 2, "citizen", None)]
    late = await browser.submit(page, page.form("item"), {"item": None, "decision": "later"})
    assert "동의하지 않았어요" in late.words
    assert await moves(stage) == ["ask", "defer", "refuse"]


async def test_a_request_nobody_answered_lapses_at_its_very_second(stage: CitizenStage) -> None:
    """Not a second before; then expired with its reason and one entry; the late answer changes nothing."""
    browser = stage.browser()
    page, _ = await put_off(stage, browser)
    over = (await stage.rows("authorization_request"))[0].answer_by
    stage.later(seconds=over - stage.now - 1)
    await stage.housekeep()
    assert await records(stage) == [("deferred", 1, "citizen", None)]
    stage.later(seconds=1)
    entries = await stage.count("ledger_payload")
    await stage.housekeep()
    await stage.housekeep()
    assert await records(stage) == [("expired", 2, "gateway", "not_answered")]
    assert await stage.count("ledger_payload") == entries + 1
    late = await browser.submit(page, page.form("item"), {"item": [BILLS], "decision": "agree"})
    assert late.status == 410
    assert await stage.given() == await stage.count("oauth_grant") == 0


async def test_who_put_it_off_and_comes_back_too_late_is_sent_to_the_company(stage: CitizenStage) -> None:
    """With access_denied, before and after the record lapsed; the overview offers no answer any more."""
    browser = stage.browser()
    page, _ = await put_off(stage, browser)
    stage.later(minutes=59)
    await stage.at_question(browser, person="p02")
    stage.later(minutes=2)
    for _ in range(2):
        with pytest.raises(Left) as left:
            await browser.open(page.url)
        assert left.value.query["error"] == "access_denied"
        await stage.housekeep()
    shown = await browser.open(f"{stage.origin}/my/consents")
    assert page.url.removeprefix(stage.origin) not in shown.text


async def test_two_tabs_that_answer_at_once_are_one_answer(stage: CitizenStage) -> None:
    """Agreeing, refusing and putting off at the same moment: one is on record, none contradicts it."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    chosen = ("agree", "refuse", "later")
    sent = [browser.submit(page, page.form("item"), {"item": None, "decision": how}) for how in chosen]
    await asyncio.gather(*sent)
    (request,) = await stage.rows("authorization_request")
    ((state, *_),) = await records(stage)
    assert state == ("active" if request.allowed else "refused")
    assert await stage.count("oauth_grant") == (1 if request.allowed else 0)
    assert len(await moves(stage)) == len({*await moves(stage)})


async def test_the_other_citizen_at_the_same_browser_has_a_record_of_their_own(stage: CitizenStage) -> None:
    """Who was shown the request first does not stand in the way; theirs lapses, the answer is the other's."""
    browser, other = stage.browser(), stage.browser()
    page = await stage.at_question(browser)
    second = await stage.sign_in(other, await other.open(page.url), "p03")
    await other.submit(second, second.form("item"), {"item": None, "decision": "agree"})
    assert sorted(state for state, *_ in await records(stage)) == ["active", "requested"]
    assert len({row.subject_id for row in await stage.rows("consent")}) == 2
    late = await browser.submit(page, page.form("item"), {"item": None, "decision": "agree"})
    assert late.status != 200 or "동의했어요" not in late.words
    stage.later(minutes=61)
    await stage.housekeep()
    assert sorted(state for state, *_ in await records(stage)) == ["active", "expired"]
    assert await stage.given() == 1


async def test_row_30_every_flow_is_counted_once_by_the_stage_it_was_left_at(stage: CitizenStage) -> None:
    """One flow left at each stage; counted once when nothing can change it, the same when counted anew."""
    await stage.ask()
    await stage.browser().open(await stage.ask())
    leaving = stage.browser()
    page = await leaving.open(await stage.ask())
    await leaving.open(next(link for link in page.links if "/sign-in/start" in link))
    await stage.at_question(stage.browser())
    looking = stage.browser()
    page = await stage.at_question(looking)
    await looking.submit(page, page.form("item"), {"item": [BILLS], "decision": "look"})
    for decision in ("refuse", "agree"):
        browser = stage.browser()
        page = await stage.at_question(browser)
        await browser.submit(page, page.form("item"), {"item": None, "decision": decision})
    begun = korean_day(stage.at)
    stage.later(minutes=70)
    await stage.housekeep()
    assert await counts(stage) == {}
    stage.later(minutes=2)
    await asyncio.gather(stage.housekeep(), stage.housekeep())
    await stage.housekeep()
    expected = {
        Ending.NOT_ASKED: 1,
        Ending.PRE_IDENTIFICATION: 1,
        Ending.PRE_AUTHENTICATION: 1,
        Ending.PRE_ACCOUNT_SELECTION: 1,
        Ending.PRE_AUTHORISATION: 1,
        Ending.REJECTED: 1,
        Ending.FAILED_TOKEN_EXCHANGE: 1,
    }
    assert await counts(stage) == expected
    await same_anew(stage, begun)
    stage.later(days=8)
    await stage.housekeep()
    stage.later(days=1)
    assert await counts(stage) == expected


async def same_anew(stage: CitizenStage, day: date) -> None:
    """Counting the day again from the rows gives what was counted."""
    async with stage.database.reading() as session:
        kept = await abandonment.abandonments(session, day, day)
        assert await abandonment.recounted(session, day) == kept
        assert await abandonment.abandonments(session, day, day, "somebody-else") == []


async def test_row_30_counting_keeps_nothing_about_a_person(stage: CitizenStage) -> None:
    """A count is a day, a client, an ending and a number."""
    await stage.at_question(stage.browser())
    stage.later(minutes=75)
    await stage.housekeep()
    (row,) = await stage.rows("flow_count")
    assert set(row._mapping) == {"day", "client_id", "ending", "number"}
    assert (row.client_id, row.ending, row.number) == ("deundeun-budget", "preAccountSelection", 1)
