"""A child under 14 and a guardian (PIPA 22-2, row 32, check 40), at the pages and in the records."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from consent import mandates
from consent.calendar import day_begins, korean_day
from consent.catalogue import load
from consent.mandates import Mandate, MandateError
from consent.repository import load as consents_load
from consent.subjects import SubjectError, SubjectId
from gateway.demo.browser import Browser, Page
from gateway.security import guardians
from gateway.transfers.mandate import acting_of
from tests.citizen_stage import CitizenStage

BILLS = "nuri-telecom/telecom.bills"


@dataclass
class Family:
    """A child who was asked something, and a grown-up; both signed in. `page` is what the child was shown."""

    stage: CitizenStage
    child: Browser
    grown: Browser
    page: Page
    child_id: SubjectId
    grown_id: SubjectId

    @property
    def request(self) -> str:
        """The request's id."""
        return self.page.url.split("/consent/")[1].split("/")[0]

    async def link(self, years: int = 2, guardian: SubjectId | None = None) -> Mandate:
        """The operator links the grown-up as guardian for so many years."""
        birthday = korean_day(self.stage.at) + timedelta(days=365 * years)
        async with self.stage.database.transaction() as session:
            return await guardians.link(
                session,
                self.stage.journal,
                self.child_id,
                guardian or self.grown_id,
                birthday=birthday,
                called="막내",
                party="mydata-gateway",
                at=self.stage.now,
            )

    async def for_child(self, link: Mandate, browser: Browser | None = None) -> Page:
        """The question, opened by the guardian."""
        return await (browser or self.grown).open(f"{self.stage.origin}/for/{link.id}/consent/{self.request}")

    async def answered(self, link: Mandate, decision: str = "agree") -> Page:
        """The guardian answers."""
        page = await self.for_child(link)
        assert page.status == 200, page.words
        chosen = {"item": [BILLS] if decision == "agree" else None, "decision": decision}
        return await self.grown.submit(page, page.form("item"), chosen)

    async def records(self) -> list[tuple[str, str, str | None]]:
        """State, by and why of every record."""
        return [(row.state, row.by, row.why) for row in await self.stage.rows("consent")]


@pytest.fixture
async def family(stage: CitizenStage) -> Family:
    """A child of twelve who was sent here by a company, and a grown-up who has signed in."""
    return await _family(stage)


async def _family(stage: CitizenStage, **parameters: Any) -> Family:
    """The same, of a request with these parameters."""
    child, grown = stage.browser(), stage.browser()
    first = await child.open(f"{stage.origin}/sign-in")
    await stage.sign_in(child, first, "p03")
    child_id = await stage.subject(child)
    await stage.aged(child_id, 12, "child")
    await stage.sign_in(grown, await grown.open(f"{stage.origin}/sign-in"), "p02")
    grown_id = await stage.subject(grown)
    await stage.aged(grown_id, 41, "adult")
    address = await stage.ask(**parameters)
    page = await child.open(address)
    if any("/sign-in/start" in link for link in page.links):
        page = await stage.sign_in(child, page, "p03")
        await stage.aged(child_id, 12, "child")
        page = await child.open(address)
    return Family(stage, child, grown, page, child_id, grown_id)


async def test_pipa_22_2_a_childs_request_waits_for_the_guardian(family: Family) -> None:
    """It is on record as put off for that reason; the child's own yes changes nothing."""
    stage = family.stage
    assert family.page.url.endswith("/later")
    assert "보호자에게 물어봐 주세요" in family.page.words
    assert family.child_id in family.page.text
    assert (await family.records())[0] == ("deferred", "gateway", "guardian_needed")
    form = {"interaction": family.request, "shown": "x", "decision": "agree"}
    headers = {"origin": stage.origin}
    address = f"{stage.origin}/consent/{family.request}"
    alone = await family.child.http.post(address, data=form, headers=headers)
    assert alone.status_code == 403
    assert await stage.given() == await stage.count("oauth_grant") == 0


async def test_pipa_22_2_a_guardian_answers_for_the_child(family: Family) -> None:
    """The consent is the child's, the hand the guardian's; the code is taken by the child's browser alone."""
    stage, link = family.stage, await family.link()
    done = await family.answered(link)
    assert "대신 답했어요" in done.words
    (row,) = await stage.rows("consent")
    assert (row.state, row.by, row.subject_id, row.mandate) == (
        "active",
        "guardian",
        family.child_id,
        link.id,
    )
    (request,) = await stage.rows("authorization_request")
    assert request.subject_id == family.child_id
    foreign = await family.grown.open(f"{stage.origin}/consent/{family.request}")
    assert "돌아가기" not in foreign.words or foreign.status != 200
    back = await family.child.open(f"{stage.origin}/consent/{family.request}")
    assert back.url.endswith("/done")
    assert any("/authorize/resume/" in link for link in back.links)
    (request,) = await stage.rows("authorization_request")
    assert request.taken_at == stage.now
    (told,) = (await family.child.http.get(f"{stage.origin}/rights?consent={row.id}")).json()["requests"]
    assert told["agent"] == {"role": "guardian", "method": "registered_by_operator"}
    assert told["verification"].startswith("openid")
    for place in (f"/rights?consent={row.id}", "/rights?consent=c-none", "/rights?consent=%00"):
        assert (await family.grown.http.get(f"{stage.origin}{place}")).status_code == 404
    odd = await family.child.http.get(f"{stage.origin}/rights?kind=self&consent={row.id}")
    assert odd.status_code == 400


async def test_row_32_the_guardian_sees_narrows_pauses_and_withdraws(family: Family) -> None:
    """Everything that takes away can be done for the child, each recorded as the guardian's."""
    stage, link = family.stage, await family.link()
    await family.answered(link)
    overview = await family.grown.open(f"{stage.origin}/my/delegates")
    assert "막내" in overview.words
    place = next(one for one in overview.links if "/my/consents/c-" in one)
    assert (await family.grown.open(place)).status == 200
    paused = await family.grown.open(f"{place}/pause")
    await family.grown.submit(paused, paused.form("version"), {"decision": "pause"})
    assert (await family.records())[0][:2] == ("paused", "guardian")
    ending = await family.grown.open(f"{place}/withdraw")
    await family.grown.submit(ending, ending.form("decision"), {"decision": "withdraw"})
    state, by, _ = (await family.records())[0]
    assert state in {"withdrawing", "withdrawn"}
    assert by == "guardian"


async def test_row_32_a_guardians_no_is_a_no(family: Family) -> None:
    """Refusing for the child is kept as that; nothing is granted, and the child's browser can go back."""
    link = await family.link()
    await family.answered(link, "refuse")
    assert await family.records() == [("refused", "guardian", None)]
    back = await family.child.open(f"{family.stage.origin}/consent/{family.request}")
    assert any("/authorize/resume/" in one for one in back.links)
    assert await family.stage.count("oauth_grant") == 0


async def test_row_32_nobody_else_answers_for_the_child(family: Family) -> None:
    """Without a link, with somebody else's, with a made-up one: the same refusal, nothing changed."""
    stage, link = family.stage, await family.link()
    stranger = stage.browser()
    await stage.sign_in(stranger, await stranger.open(f"{stage.origin}/sign-in"), "p04")
    for browser, name in ((stranger, link.id), (family.grown, "m-" + "0" * 30), (family.child, link.id)):
        page = await browser.open(f"{stage.origin}/for/{name}/consent/{family.request}")
        assert page.status == 403, page.words
        assert "mandate_unknown" in page.words
    hidden = await stranger.open(f"{stage.origin}/my/consents/{(await stage.rows('consent'))[0].id}")
    assert hidden.status == 404
    assert await stage.given() == 0


async def test_row_32_an_answer_sent_after_the_link_ended_changes_nothing(family: Family) -> None:
    """The page was opened in time, the link was ended meanwhile."""
    stage, link = family.stage, await family.link()
    page = await family.for_child(link)
    async with stage.database.transaction() as session:
        assert await guardians.unlink(session, link.id, at=stage.now) is not None
    late = await family.grown.submit(page, page.form("item"), {"item": [BILLS], "decision": "agree"})
    assert late.status == 403
    assert await stage.given() == 0
    assert (await family.records())[0][0] == "deferred"


async def test_row_32_the_guardian_and_the_limit_at_once(family: Family) -> None:
    """An answer at the second of the limit is too late; two answers at once are one."""
    stage, link = family.stage, await family.link()
    page = await family.for_child(link)
    form = page.form("item")
    yes: dict[str, str | list[str] | None] = {"item": [BILLS], "decision": "agree"}
    await asyncio.gather(*(family.grown.submit(page, form, yes) for _ in range(2)))
    assert await stage.given() == await stage.count("oauth_grant") == 1


async def test_row_32_a_guardians_yes_and_the_childs_no_at_once(family: Family) -> None:
    """One of the two is the answer, whole: a consent with its grant, or neither; the other is void."""
    stage, link = family.stage, await family.link()
    for number in range(2):
        if number:
            family.page = await family.child.open(await stage.ask())
        page, before = await family.for_child(link), await stage.given()
        yes: dict[str, str | list[str] | None] = {"item": [BILLS], "decision": "agree"}
        no = family.child.http.post(
            f"{stage.origin}/consent/{family.request}/decline",
            data={"decision": "refuse"},
            headers={"origin": stage.origin},
        )
        _, said = await asyncio.gather(family.grown.submit(page, page.form("item"), yes), no)
        assert said.status_code in (200, 303)
        (request,) = [
            row for row in await stage.rows("authorization_request") if row.interaction_id == family.request
        ]
        (record,) = [row for row in await stage.rows("consent") if row.request_id == family.request]
        assert await stage.given() - before == bool(request.allowed)
        assert await stage.count("oauth_grant") == await stage.given()
        assert record.state == ("active" if request.allowed else "deferred")
        moves = [row.move for row in await stage.rows("consent_version") if row.consent_id == record.id]
        assert moves.count("give") == bool(request.allowed)


async def test_core_2_the_sign_in_told_after_a_guardians_yes_is_the_childs(stage: CitizenStage) -> None:
    """The id_token speaks of the child: `auth_time` is when the child signed in, not the guardian."""
    family = await _family(stage, scope="openid", nonce="n")
    link = await family.link()
    await family.answered(link)
    (row,) = await stage.rows("oauth_recognition")
    assert (row.subject_id, row.auth_time) == (family.child_id, None)
    sessions = await stage.rows("citizen_session")
    own = max(one.auth_time for one in sessions if one.subject_id == family.child_id)
    await family.child.open(f"{stage.origin}/consent/{family.request}")
    (row,) = await stage.rows("oauth_recognition")
    assert row.auth_time == own


async def test_row_32_at_fourteen_the_child_decides(family: Family) -> None:
    """The link ends by the clock; what the guardian agreed to is paused, and only the child lets it go on."""
    stage, link = family.stage, await family.link(years=1)
    await family.answered(link)
    (row,) = await stage.rows("consent")
    async with stage.database.transaction() as session:
        sooner = mandates.MandateRow.__table__  # type: ignore[attr-defined]
        await session.execute(update(sooner).values(until=stage.now + 60))
    stage.later(seconds=59)
    await stage.housekeep()
    assert (await family.records())[0] == ("active", "guardian", None)
    stage.later(seconds=1)
    entries = await stage.count("ledger_payload")
    await stage.housekeep()
    await stage.housekeep()
    assert (await family.records())[0] == ("paused", "gateway", "came_of_age")
    assert await stage.count("ledger_payload") == entries + 2  # the pause, and the end of the link
    kinds = {(one.subject_id, one.kind) for one in await stage.rows("notice")}
    assert (family.child_id, "came_of_age") in kinds
    await stage.aged(family.child_id, 14, "youth")
    place = f"{stage.origin}/my/consents/{row.id}"
    assert (await family.grown.open(place)).status == 404
    going = await family.child.open(f"{place}/resume")
    await family.child.submit(going, going.form("version"), {"decision": "resume"})
    assert (await family.records())[0] == ("active", "citizen", None)
    assert (await stage.rows("consent"))[0].mandate is None


async def test_row_32_a_child_lets_nothing_go_on_alone(family: Family) -> None:
    """Stopping is open to a child, going on is not."""
    stage, link = family.stage, await family.link()
    await family.answered(link)
    (row,) = await stage.rows("consent")
    place = f"{stage.origin}/my/consents/{row.id}"
    stopping = await family.child.open(f"{place}/pause")
    await family.child.submit(stopping, stopping.form("version"), {"decision": "pause"})
    assert (await family.records())[0][0] == "paused"
    assert (await family.child.open(f"{place}/resume")).status == 403


async def test_row_32_a_child_renews_nothing_alone(family: Family) -> None:
    """What the guardian agreed to is not offered to the child for longer, nor by a form kept open."""
    stage, link = family.stage, await family.link()
    await family.answered(link)
    (row,) = await stage.rows("consent")
    stage.later(days=(row.end_at - stage.now) // 86_400 - 10)
    place = f"{stage.origin}/my/renewals"
    await stage.sign_in(family.child, await family.child.open(place), "p03")
    await stage.aged(family.child_id, 20, "adult")
    page = await family.child.open(place)
    form = page.form("renew")
    await stage.aged(family.child_id, 12, "child")
    offered = (await family.child.open(place)).forms
    assert not [field for form in offered for field in form.fields if field.name == "renew"]
    kept = await family.child.submit(page, form, {"renew": [row.id], "decision": "renew"})
    assert kept.status == 409
    assert [one.version for one in await stage.rows("consent")] == [row.version]


async def test_pipa_22_2_policy_is_told_of_the_guardian(family: Family) -> None:
    """Proven and in force while the link holds; ended from the very second it does not."""
    stage, link = family.stage, await family.link()
    await family.answered(link)
    (row,) = await stage.rows("consent")
    catalogue = load()
    async with stage.database.reading() as session:
        consent = await consents_load(session, row.id)
        assert consent is not None
        acting = await acting_of(session, consent, catalogue)
    assert acting is not None
    assert (acting.role, acting.verified, acting.until) == ("guardian", True, link.until)
    async with stage.database.transaction() as session:
        await guardians.unlink(session, link.id, at=stage.now)
    async with stage.database.reading() as session:
        acting = await acting_of(session, consent, catalogue)
    assert acting is not None
    assert acting.until == stage.now


@pytest.mark.parametrize(("age", "grown", "days"), [(14, 41, 100), (12, 18, 700), (12, 41, 800), (12, 41, 0)])
async def test_row_32_only_a_child_and_a_grown_up_whose_dates_fit_are_linked(
    family: Family, age: int, grown: int, days: int
) -> None:
    """A youth, a young guardian, a birthday too late or past: refused, nothing stored."""
    stage = family.stage
    await stage.aged(family.child_id, age, "child")
    await stage.aged(family.grown_id, grown, "adult")
    birthday: date = korean_day(stage.at) + timedelta(days=days)
    with pytest.raises(MandateError) as refused:
        async with stage.database.transaction() as session:
            await guardians.link(
                session,
                stage.journal,
                family.child_id,
                family.grown_id,
                birthday=birthday,
                called="막내",
                party="mydata-gateway",
                at=stage.now,
            )
    assert refused.value.code == "guardian_age"
    assert await stage.count("mandate") == 0


async def test_row_32_a_link_is_made_once_and_to_people_who_exist(family: Family) -> None:
    """Twice is refused; so is oneself, and who never signed in. It ends as the birthday begins."""
    link = await family.link()
    assert link.until == day_begins(korean_day(family.stage.at) + timedelta(days=730))
    with pytest.raises(MandateError, match="mandate_exists"):
        await family.link()
    with pytest.raises(SubjectError, match="subject_unknown"):
        await family.link(guardian=SubjectId("s-" + "0" * 32))
    with pytest.raises(MandateError):
        await family.link(guardian=family.child_id)
