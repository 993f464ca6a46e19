"""A citizen names a delegate by a one-time code (row 32): scope, end, and everything that must not work."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import pytest

from consent.calendar import korean_day
from consent.events import Event
from consent.journal import payload_context
from consent.subjects import SubjectId
from gateway.demo.browser import Browser, Page
from tests.citizen_stage import CitizenStage

BANK = (("hanbit-bank", "finance.deposit-transactions", True, "P7D"),)
PHONE = (("nuri-telecom", "telecom.bills", True, "P7D"),)
MEMO = "hanbit-bank/finance.deposit-transactions/trans_memo"


@dataclass
class Pair:
    """Who names a delegate, and who becomes one; both signed in."""

    stage: CitizenStage
    owner: Browser
    other: Browser

    async def name(self, days: int = 30, **changed: Any) -> Page:
        """The citizen fills in the form; the page that answers."""
        page = await self.owner.open(f"{self.stage.origin}/my/delegates")
        until = (korean_day(self.stage.at) + timedelta(days=days)).isoformat()
        values: dict[str, Any] = {
            "name": "어머니",
            "power": ["view", "answer", "withdraw"],
            "sector": ["finance"],
            "until": until,
        }
        return await self.owner.submit(page, page.form("name"), {**values, **changed})

    async def type(self, code: str, browser: Browser | None = None) -> Page:
        """Somebody types a code."""
        who = browser or self.other
        page = await who.open(f"{self.stage.origin}/my/delegates")
        return await who.submit(page, page.form("code"), {"code": code})

    async def agreed(self, **changed: Any) -> str:
        """The whole way; the mandate's id."""
        page = await self.name(**changed)
        assert (await self.type(code_of(page))).status == 200
        (row,) = await self.stage.rows("mandate")
        return str(row.id)

    async def asked(self, asked: Any = BANK) -> str:
        """A company asks the citizen, who looks and leaves; the request's id."""
        page = await self.owner.open(await self.stage.ask(asked))
        if any("/sign-in/start" in link for link in page.links):
            page = await self.stage.sign_in(self.owner, page)
        assert page.status == 200, page.words
        return page.url.split("/consent/")[1]

    async def question(self, mandate: str, request: str) -> Page:
        """The delegate opens it."""
        return await self.other.open(f"{self.stage.origin}/for/{mandate}/consent/{request}")

    async def end(self, browser: Browser, mandate: str) -> Page:
        """Either ends it, whatever the page offers."""
        page = await browser.open(f"{self.stage.origin}/my/delegates")
        return (
            await browser.submit(page, page.form("decision"), {"decision": "end"})
            if mandate in page.text
            else page
        )

    async def states(self) -> list[tuple[str, str]]:
        """State and by of every record."""
        return [(row.state, row.by) for row in await self.stage.rows("consent")]


def code_of(page: Page) -> str:
    """The code as it is shown."""
    found = re.search(r"[A-Z2-9]{5}-[A-Z2-9]{5}", page.text)
    assert found, page.words
    return found[0]


async def signed_in(stage: CitizenStage, person: str) -> Browser:
    """Somebody's browser."""
    browser = stage.browser()
    await stage.sign_in(browser, await browser.open(f"{stage.origin}/sign-in"), person)
    await stage.aged(await stage.subject(browser), 40, "adult")
    return browser


@pytest.fixture
async def pair(stage: CitizenStage) -> Pair:
    """Two citizens."""
    return Pair(stage, await signed_in(stage, "p02"), await signed_in(stage, "p04"))


async def test_row_32_a_delegate_is_named_by_a_code_shown_once(pair: Pair) -> None:
    """The code stands on one page and nowhere in the store; both see the mandate, by name and role."""
    page = await pair.name()
    code = code_of(page)
    again = await pair.owner.open(f"{pair.stage.origin}/my/delegates")
    assert code not in again.text
    (kept,) = await pair.stage.rows("mandate_invitation")
    plain = code.replace("-", "")
    assert not any(plain in str(value) or "어머니" in str(value) for value in kept)
    accepted = await pair.type(code.lower())
    assert "어머니" in accepted.words
    assert "나에게 맡긴 사람" in accepted.words
    assert "내가 맡긴 대리인" in (await pair.owner.open(f"{pair.stage.origin}/my/delegates")).words
    assert await pair.stage.count("mandate_invitation") == 0
    (row,) = await pair.stage.rows("mandate")
    assert "어머니".encode() not in row.names


async def test_row_32_a_code_counts_once_and_for_ten_minutes(pair: Pair) -> None:
    """Typed again, typed too late, or typed by who made it: no mandate."""
    code = code_of(await pair.name())
    assert (await pair.type(code, pair.owner)).status == 400
    assert await pair.stage.count("mandate") == 0
    assert (await pair.type(code)).status == 200
    assert (await pair.type(code)).status == 400
    third = await signed_in(pair.stage, "p05")
    late = code_of(await pair.name())
    pair.stage.later(seconds=600)
    assert "mandate_code" in (await pair.type(late, third)).words
    assert await pair.stage.count("mandate") == 1


async def test_row_32_wrong_codes_are_bounded(pair: Pair) -> None:
    """After five wrong ones the right one does not help either, for ten minutes; others are not held up."""
    code = code_of(await pair.name())
    for _ in range(5):
        assert (await pair.type("AAAAA-AAAAA")).status == 400
    stopped = await pair.type(code)
    assert stopped.status == 429
    assert "mandate_tries" in stopped.words
    assert (await pair.type(code, await signed_in(pair.stage, "p05"))).status == 200


async def test_row_32_one_code_typed_twice_at_once_gives_one_mandate(pair: Pair) -> None:
    """Of two people at the same moment one becomes the delegate."""
    third = await signed_in(pair.stage, "p05")
    code = code_of(await pair.name())
    statuses = [page.status for page in await asyncio.gather(pair.type(code), pair.type(code, third))]
    assert sorted(statuses) == [200, 400]
    assert await pair.stage.count("mandate") == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"days": 0 - 1},
        {"days": 400},
        {"until": "soon"},
        {"power": None},
        {"power": ["rule"]},
        {"sector": None},
        {"sector": ["weather"]},
        {"name": " "},
        {"name": "x" * 41},
    ],
)
async def test_row_32_a_mandate_has_a_scope_and_an_end_within_a_year(
    pair: Pair, changed: dict[str, Any]
) -> None:
    """Anything else is refused, and nothing is kept."""
    page = await pair.name(**changed)
    assert page.status == 400, page.words
    assert await pair.stage.count("mandate_invitation") == 0


async def test_row_32_a_delegate_answers_and_stands_only_in_the_sealed_payload(pair: Pair) -> None:
    """The consent is the citizen's, `by` says delegate; who it was is sealed under the citizen's key."""
    stage, mandate, request = pair.stage, await pair.agreed(), await pair.asked()
    page = await pair.question(mandate, request)
    assert "다른 사람을 대신해서" in page.words
    assert "그 사람의 정보를 보낼까요" in page.words
    done = await pair.other.submit(page, page.form("interaction"), {"item": None, "decision": "agree"})
    assert "대신 답했어요" in done.words, done.words
    owner, other = await stage.subject(pair.owner), await stage.subject(pair.other)
    (row,) = await stage.rows("consent")
    assert (row.state, row.by, row.subject_id, row.mandate) == ("active", "delegate", owner, mandate)
    given = await payload(stage, owner, Event.CONSENT_GRANT_GIVEN)
    assert (given["actor"], given["mandate"], given["by"]) == (other, mandate, "delegate")
    for entry in await stage.rows("ledger_outbox"):
        assert other.encode() not in entry.entry


async def payload(stage: CitizenStage, subject: SubjectId, event: Event) -> dict[str, Any]:
    """The body of the citizen's last entry of a kind, opened with the citizen's key."""
    found: dict[str, Any] = {}
    async with stage.database.reading() as session:
        key = await stage.subjects.key(session, subject)
    for row in sorted(await stage.rows("ledger_payload"), key=lambda row: row.outbox_id):
        if row.subject == subject:
            said = orjson.loads(key.unseal(row.body, payload_context(subject, row.n)))
            found = said["body"] if said["event"] == event.value else found
    return found


async def test_row_32_a_delegate_never_exceeds_the_scope(pair: Pair) -> None:
    """Another sector, a power that was not given, a consent of the citizen outside both: refused alike."""
    stage = pair.stage
    mandate = await pair.agreed(power=["view"])
    request = await pair.asked()
    assert (await pair.question(mandate, request)).status == 403
    form = {"interaction": request, "shown": "x", "decision": "refuse"}
    address = f"{stage.origin}/for/{mandate}/consent/{request}"
    posted = await pair.other.http.post(address, data=form, headers={"origin": stage.origin})
    assert posted.status_code == 403
    page = await pair.owner.open(f"{stage.origin}/consent/{request}")
    await pair.owner.submit(page, page.form("interaction"), {"item": None, "decision": "agree"})
    (row,) = await stage.rows("consent")
    place = f"{stage.origin}/my/consents/{row.id}"
    assert (await pair.other.open(place)).status == 200
    for step in ("withdraw", "narrow", "pause", "resume"):
        assert (await pair.other.open(f"{place}/{step}")).status == 404
    assert (await pair.other.open(f"{place}/receipt")).status == 404
    await pair.asked(PHONE)
    seen = await pair.other.open(f"{stage.origin}/my/delegates")
    assert seen.text.count("/my/consents/c-") == 1
    assert (
        await pair.states() == [("active", "citizen"), ("requested", "recipient")]
        or len(await pair.states()) == 2
    )


async def test_row_32_another_sector_is_not_answered(pair: Pair) -> None:
    """A delegate for finance does not answer for the telephone."""
    mandate = await pair.agreed()
    request = await pair.asked(PHONE)
    assert "mandate_unknown" in (await pair.question(mandate, request)).words
    assert await pair.stage.given() == 0


async def test_row_32_what_is_sensitive_needs_a_fresh_sign_in(pair: Pair) -> None:
    """Minutes after signing in the memo is not agreed to; what is not sensitive is."""
    mandate, request = await pair.agreed(), await pair.asked()
    pair.stage.later(minutes=6)
    page = await pair.question(mandate, request)
    form = page.form("interaction")
    refused = await pair.other.submit(page, form, {"field": [MEMO], "decision": "agree"})
    assert refused.status == 403
    assert "step_up_needed" in refused.words
    assert await pair.stage.given() == 0


@pytest.mark.parametrize("who", ["owner", "other"])
async def test_row_32_either_ends_it_at_any_time(pair: Pair, who: str) -> None:
    """Then nothing works any more, and what the delegate agreed to is paused until the citizen says so."""
    stage, mandate, request = pair.stage, await pair.agreed(), await pair.asked()
    page = await pair.question(mandate, request)
    await pair.other.submit(page, page.form("interaction"), {"item": None, "decision": "agree"})
    assert await pair.states() == [("active", "delegate")]
    browser = pair.owner if who == "owner" else pair.other
    await pair.end(browser, mandate)
    await pair.end(browser, mandate)
    (row,) = await stage.rows("consent")
    assert (row.state, row.by, row.why) == ("paused", "gateway", "mandate_ended")
    assert (await pair.other.open(f"{stage.origin}/my/consents/{row.id}")).status == 404
    assert (await pair.question(mandate, request)).status == 403
    going = await pair.owner.open(f"{stage.origin}/my/consents/{row.id}/resume")
    await pair.owner.submit(going, going.form("version"), {"decision": "resume"})
    (row,) = await stage.rows("consent")
    assert (row.state, row.by, row.mandate) == ("active", "citizen", None)


async def test_row_32_it_runs_out_at_its_last_day(pair: Pair) -> None:
    """From the first moment after it nothing is possible, before anything is written about it."""
    stage, mandate = pair.stage, await pair.agreed(days=1)
    (row,) = await stage.rows("mandate")
    stage.later(seconds=row.until - stage.now)
    other = await signed_in(stage, "p04")
    pair.other = other
    owner = await signed_in(stage, "p02")
    pair.owner = owner
    request = await pair.asked()
    assert (await pair.question(mandate, request)).status == 403
    await stage.housekeep()
    await stage.housekeep()
    (row,) = await stage.rows("mandate")
    assert (row.ended_why, row.ended_at) == ("ran_out", stage.now)
    assert (await payload(stage, await stage.subject(owner), Event.MANDATE_RECORD_ENDED))["why"] == "ran_out"


async def test_row_32_a_third_ends_nothing(pair: Pair) -> None:
    """Neither does a made-up name; nothing changes."""
    mandate, third = await pair.agreed(), await signed_in(pair.stage, "p05")
    for name in (mandate, "m-" + "0" * 30):
        address = f"{pair.stage.origin}/my/delegates/{name}/end"
        answer = await third.http.post(
            address, data={"decision": "end"}, headers={"origin": pair.stage.origin}
        )
        assert answer.status_code == 403
    (row,) = await pair.stage.rows("mandate")
    assert row.ended_at is None


@pytest.mark.parametrize("powers", [["view"], ["view", "withdraw"]])
async def test_row_32_a_page_leads_a_delegate_only_where_they_may_go(pair: Pair, powers: list[str]) -> None:
    """Every address on the page of the other's consent answers; without the power nothing there ends it."""
    await pair.agreed(power=powers)
    page = await pair.owner.open(f"{pair.stage.origin}/consent/{await pair.asked()}")
    await pair.owner.submit(page, page.form("interaction"), {"item": None, "decision": "agree"})
    (consent,) = await pair.stage.rows("consent")
    seen = await pair.other.open(f"{pair.stage.origin}/my/consents/{consent.id}")
    there = {link.rpartition("/")[2] for link in seen.links if f"{consent.id}/" in link}

    assert seen.status == 200
    assert there == {"receipts"} | ({"narrow", "pause", "withdraw"} if "withdraw" in powers else set())
    for link in seen.links:
        if consent.id in link:
            assert (await pair.other.open(link)).status == 200, link
