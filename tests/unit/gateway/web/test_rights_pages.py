"""The citizen's own requests and notices as pages: whose they are, what can be sent, what is gone."""

from __future__ import annotations

import secrets

import pytest

from consent import notices
from consent import rights_service as service
from consent.exclusions import asked_item
from consent.notices import NoticeKind
from consent.refusal_grounds import Ground
from consent.rights import Decided, Move, Received, SelfRequest, State
from consent.subjects import SubjectId
from gateway.demo.browser import Browser, Page
from gateway.transfers.own.collected import Collected, Part, project
from gateway.web.own_file import OwnFile
from tests.citizen_stage import CATALOGUE, CitizenStage

POSTED = {"content-type": "application/x-www-form-urlencoded", "origin": "https://gateway.test"}


async def signed_in(stage: CitizenStage, person: str = "p02") -> tuple[Browser, Page, SubjectId]:
    """A browser before /my/rights, and who it is."""
    browser = stage.browser()
    page = await stage.sign_in(browser, await browser.open(f"{stage.origin}/my/rights"), person)
    row = max(await stage.rows("citizen_session"), key=lambda found: found.created_at)
    return browser, page, SubjectId(row.subject_id)


async def asked(stage: CitizenStage, subject: SubjectId, state: State = State.ASKED) -> SelfRequest:
    """A request of `subject`, brought to `state`, one note by a doctor in it."""
    items = (asked_item(CATALOGUE, "saebom-hospital", "medical.observations"),)
    at = stage.now
    made = SelfRequest(
        id=f"q-{secrets.token_hex(8)}",
        subject=subject,
        state=State.ASKED,
        version=1,
        verification="openid",
        purpose="own-use",
        items=items,
        history_from=None,
        asked_at=at,
        changed_at=at,
        end_at=at + 86_400,
        decided=Decided("d", "rev"),
    )
    async with stage.database.transaction() as session:
        one = await service.ask(session, stage.journal, made)
        if state is State.ASKED:
            return one
        if state is State.REFUSED:
            ground = Ground.IDENTITY_UNCONFIRMED
            return await service.refuse(session, stage.journal, one, "no_link", ground, at)
        key = await stage.subjects.key(session, subject)
        records, _ = project(items[0].fields, [b'{"note": "=1+1 <b>", "performer": "Dr. Kim", "id": "1"}'])
        sealed = Collected({items[0].name: Part(records, at)}).seal(key, one.id)
        came = (Received(items[0].name, "complete", 1, at=at),)
        one = await service.step(session, stage.journal, one, Move.BEGIN, at)
        held = {"received": came, "ready_at": at, "held_until": at + 7 * 86_400}
        return await service.step(session, stage.journal, one, Move.DELIVER, at, held, sealed=sealed)


async def post(stage: CitizenStage, browser: Browser, place: str, content: str = "") -> tuple[int, bytes]:
    """Send a form as a page would."""
    answer = await browser.http.post(f"{stage.origin}{place}", headers=POSTED, content=content)
    return answer.status_code, answer.content


async def test_nobody_signed_in_is_sent_to_sign_in(stage: CitizenStage) -> None:
    """Every page of rights and notices asks who it is first, and posts are refused."""
    browser = stage.browser()
    for place in ("/my/rights", "/my/rights/q-abc", "/my/notices"):
        page = await browser.open(f"{stage.origin}{place}")
        assert any(f"/sign-in/start?to={place}" in link for link in page.links)
    for place in ("/my/rights/q-abc/file", "/my/rights/q-abc/cancel"):
        assert (await post(stage, browser, place))[0] == 401
    assert (await browser.http.get(f"{stage.origin}/rights?kind=self")).status_code == 401


async def test_row_26_a_refusal_shows_reason_ground_and_article(stage: CitizenStage) -> None:
    """What was refused is told in words with the number of the Decree, never by its code."""
    browser, _, subject = await signed_in(stage)
    one = await asked(stage, subject, State.REFUSED)
    page = await browser.open(f"{stage.origin}/my/rights/{one.id}")
    assert "본인인지 확인되지 않았어요" in page.words
    assert "제42조의8 제1항 제6호" in page.words
    assert "no_link" not in page.words
    inbox = await browser.open(f"{stage.origin}/my/notices")
    assert "요청이 거절됐어요" in inbox.words


async def test_the_file_is_the_citizens_alone_and_goes_after_it_was_taken(stage: CitizenStage) -> None:
    """Another's answers like none; it can be taken again for ten minutes; then it is gone."""
    browser, _, subject = await signed_in(stage)
    one = await asked(stage, subject, State.READY)
    other, _, _ = await signed_in(stage, "p03")
    for place in ("file", "cancel"):
        foreign = await post(stage, other, f"/my/rights/{one.id}/{place}")
        unknown = await post(stage, other, f"/my/rights/q-none/{place}")
        assert foreign[0] == unknown[0] == 404
        assert foreign[1] == unknown[1]
    status, first = await post(stage, browser, f"/my/rights/{one.id}/file")
    assert (status, first[:2]) == (200, b"PK")
    stage.later(seconds=599)
    assert (await post(stage, browser, f"/my/rights/{one.id}/file"))[0] == 200
    stage.later(seconds=1)
    assert (await post(stage, browser, f"/my/rights/{one.id}/file"))[0] == 410
    kinds = [row for row in await stage.rows("self_request") if row.state == "fetched"]
    assert [row.version for row in kinds] == [4]


async def test_what_is_not_there_yet_cannot_be_taken(stage: CitizenStage) -> None:
    """Before it is ready, and after it was stopped, there is no file; stopping twice is harmless."""
    browser, _, subject = await signed_in(stage)
    one = await asked(stage, subject)
    assert (await post(stage, browser, f"/my/rights/{one.id}/file"))[0] == 409
    assert (await post(stage, browser, f"/my/rights/{one.id}/cancel"))[0] == 303
    assert (await post(stage, browser, f"/my/rights/{one.id}/cancel"))[0] == 303
    assert (await post(stage, browser, f"/my/rights/{one.id}/file"))[0] == 409


@pytest.mark.parametrize(
    "content",
    ["", "key=short", "key=" + "k" * 24 + "&else=1", "key=" + "k" * 24 + "&item=hanbit-bank/nothing", "\x00"],
)
async def test_a_form_the_page_could_not_have_sent_is_refused(stage: CitizenStage, content: str) -> None:
    """A clear refusal; nothing is stored."""
    browser, _, _ = await signed_in(stage)
    status, _ = await post(stage, browser, "/my/rights", content)
    assert status in (400, 404)
    assert await stage.rows("self_request") == []


async def test_pipa_42_4_the_file_holds_ones_own_and_runs_nothing(stage: CitizenStage) -> None:
    """Somebody else's name is not in it; markup is text; a cell a spreadsheet would run is not run."""
    _, _, subject = await signed_in(stage)
    one = await asked(stage, subject, State.READY)
    records, _ = project(one.items[0].fields, [b'{"note": "=1+1 <b>", "performer": "Dr. Kim"}'])
    whole = OwnFile(stage.site, one, Collected({one.items[0].name: Part(records, stage.now)}), "en")
    files = dict(whole._files())
    assert not any(b"Kim" in content for content in files.values())
    assert b'"=1+1 <b>"' in files["data.json"]
    assert b"&lt;b&gt;" in files["index.html"]
    assert b"'=1+1" in files["saebom-hospital.medical.observations.csv"]
    assert whole.archive() == whole.archive()


async def test_reading_the_inbox_is_said_and_not_assumed(stage: CitizenStage) -> None:
    """Looking leaves notices new; pressing reads what was shown; a moment that is none is refused."""
    browser, _, subject = await signed_in(stage)
    async with stage.database.transaction() as session:
        await notices.leave(session, subject, NoticeKind.YEARLY, "2026-11-22", stage.now)
    page = await browser.open(f"{stage.origin}/my/notices")
    assert "새 알림" in page.words
    assert (await post(stage, browser, "/my/notices/read", "until=tomorrow"))[0] == 400
    await browser.submit(page, page.form("until"), {})
    assert "새 알림" not in (await browser.open(f"{stage.origin}/my/notices")).words
