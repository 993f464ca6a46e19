"""Pausing and going on: one confirmation each, nothing of the consent changes, said twice it is once."""

from __future__ import annotations

import pytest

from consent import lasting, repository
from gateway.demo.browser import Browser, Page
from tests.citizen_stage import CitizenStage
from tests.unit.gateway.web.test_narrow import BILLS, ORDERS, agreed, narrowing, without


async def said(stage: CitizenStage, browser: Browser, consent: str, step: str) -> Page:
    """Open the page of `step`, and confirm."""
    page = await browser.open(f"{stage.origin}/my/consents/{consent}/{step}")
    return await browser.submit(page, page.form("version"), {"decision": step})


async def moves(stage: CitizenStage) -> list[tuple[str, str, str, str | None]]:
    """Every move from the yes on: which, to what state, by whom, why."""
    rows = sorted(await stage.rows("consent_version"), key=lambda row: row.version)
    return [(row.move, row.state, row.by, row.why) for row in rows if row.move != "ask"]


async def test_row_9_a_citizen_pauses_and_goes_on(stage: CitizenStage) -> None:
    """Two moves, two entries; the terms and the text stay; the page says how it stands."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    (before,), entries = await stage.rows("consent"), await stage.count("ledger_payload")
    page = await said(stage, browser, consent, "pause")
    assert page.url.endswith(f"/my/consents/{consent}")
    assert "멈췄어요" in page.words
    assert any(link.endswith("/resume") for link in page.links)
    assert not any(link.endswith("/pause") for link in page.links)
    assert any(link.endswith("/narrow") for link in page.links)
    page = await said(stage, browser, consent, "resume")
    assert any(link.endswith("/pause") for link in page.links)
    (after,) = await stage.rows("consent")
    assert (after.terms, after.asked, after.text_hash) == (before.terms, before.asked, before.text_hash)
    assert await stage.count("ledger_payload") == entries + 2
    assert await moves(stage) == [
        ("give", "active", "citizen", None),
        ("pause", "paused", "citizen", None),
        ("resume", "active", "citizen", None),
    ]
    given = before.version
    assert stage.changed == [(consent, given, given + 1), (consent, given + 1, given + 2)]


async def test_the_grant_follows_a_pause_and_its_end(stage: CitizenStage) -> None:
    """The refresh token goes on: grant and consent have the same version, of the same generation."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    for step in ("pause", "resume"):
        await said(stage, browser, consent, step)
        (grant,), (row,) = await stage.rows("oauth_grant"), await stage.rows("consent")
        assert (grant.consent_version, grant.generation, grant.revoked_at) == (row.version, 1, None)


@pytest.mark.parametrize("step", ["pause", "resume"])
async def test_said_twice_it_is_once(stage: CitizenStage, step: str) -> None:
    """The second tab finds it done: no second version, no second entry, no error."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    if step == "resume":
        await said(stage, browser, consent, "pause")
    page = await browser.open(f"{stage.origin}/my/consents/{consent}/{step}")
    for _ in range(2):
        done = await browser.submit(page, page.form("version"), {"decision": step})
        assert done.url.endswith(f"/my/consents/{consent}")
    assert [move for move, *_ in await moves(stage)].count(step) == 1


async def test_a_page_of_an_older_version_pauses_nothing(stage: CitizenStage) -> None:
    """Paused and resumed in another tab meanwhile: this tab has not seen that."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    stale = await browser.open(f"{stage.origin}/my/consents/{consent}/pause")
    await said(stage, browser, consent, "pause")
    await said(stage, browser, consent, "resume")
    refused = await browser.submit(stale, stale.form("version"), {"decision": "pause"})
    assert refused.status == 409
    assert "consent_moved_on" in refused.words
    assert len(await moves(stage)) == 3


async def test_row_9_another_citizen_cannot_pause_it(stage: CitizenStage) -> None:
    """Neither page nor post tells another person that there is such a consent."""
    browser, other = stage.browser(), stage.browser()
    consent = await agreed(stage, browser)
    await stage.at_question(other, person="p03")
    page = await other.open(f"{stage.origin}/my/consents/{consent}/pause")
    assert page.status == 404
    assert "consent_not_found" in page.words
    mine = await browser.open(f"{stage.origin}/my/consents/{consent}/pause")
    refused = await other.submit(mine, mine.form("version"), {"decision": "pause"})
    assert refused.status == 404
    assert len(await moves(stage)) == 1


async def test_a_consent_past_its_end_is_neither_paused_nor_resumed(stage: CitizenStage) -> None:
    """It has expired, written or not; the page shows it as it stands."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    await said(stage, browser, consent, "pause")
    stage.later(days=200)
    await stage.at_question(browser)
    page = await browser.open(f"{stage.origin}/my/consents/{consent}/resume")
    assert page.url.endswith(f"/my/consents/{consent}")
    assert "기간이 끝났어요" in page.words
    assert len([m for m in await moves(stage) if m[0] == "resume"]) == 0


async def test_one_that_stopped_unused_says_so(stage: CitizenStage) -> None:
    """The gateway paused it: the page to go on says why, and one tap resumes it."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    async with stage.database.transaction() as session:
        before = await repository.load(session, consent, lock=True)
        assert before is not None
        await lasting.stop_unused(session, stage.journal, before, stage.now)
    page = await browser.open(f"{stage.origin}/my/consents/{consent}/resume")
    assert "여섯 달" in page.words
    await said(stage, browser, consent, "resume")
    assert [(by, why) for _, _, by, why in await moves(stage)][1:] == [("gateway", "idle"), ("citizen", None)]


async def test_why_it_stopped_is_still_said_after_something_was_taken_back(stage: CitizenStage) -> None:
    """Narrowing is a move of its own: what paused the consent is what the page to go on tells."""
    browser = stage.browser()
    consent = await agreed(stage, browser, BILLS, ORDERS)
    async with stage.database.transaction() as session:
        before = await repository.load(session, consent)
        assert before is not None
        await lasting.stop_unused(session, stage.journal, before, stage.now)
    page = await narrowing(stage, browser, consent)
    changes = await browser.submit(page, page.form("version"), {**without(page, BILLS), "decision": "look"})
    await browser.submit(changes, changes.form("version"), {"decision": "narrow"})
    page = await browser.open(f"{stage.origin}/my/consents/{consent}/resume")
    assert "여섯 달 동안 보낸 것이 없어서" in page.words
