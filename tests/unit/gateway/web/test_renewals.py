"""Renewal: offered from a month before, together, unticked; only the last day moves."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from consent.calendar import korean_day
from consent.items import Terms, from_details
from gateway.demo.browser import Browser, Page
from tests.citizen_stage import CitizenStage
from tests.unit.gateway.web.test_narrow import BILLS, agreed


async def offered(stage: CitizenStage, browser: Browser) -> Page:
    """The page of what runs out, signed in again if need be."""
    page = await browser.open(f"{stage.origin}/my/renewals")
    if any("/sign-in/start" in link for link in page.links):
        page = await stage.sign_in(browser, page)
    return page


def boxes(page: Page) -> list[str]:
    """The consents that can be ticked; none is ticked beforehand."""
    found = [f for form in page.forms for f in form.fields if f.kind == "checkbox"]
    assert not any(box.checked for box in found)
    return [box.value for box in found]


async def terms(stage: CitizenStage) -> dict[str, Terms]:
    """What each consent allows now."""
    rows = sorted(await stage.rows("consent"), key=lambda row: row.created_at)
    return {row.id: from_details(orjson.loads(row.terms)) for row in rows}


async def to_day(stage: CitizenStage, day: object) -> None:
    """Let it be noon in Korea on `day`."""
    while korean_day(stage.at) != day:
        stage.later(days=1)


@pytest.mark.parametrize(("days", "there"), [(-1, False), (0, True)])
async def test_row_31_a_renewal_is_offered_from_a_month_before(
    stage: CitizenStage, days: int, there: bool
) -> None:
    """On the day a month before the last one, not a day earlier."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    end = (await terms(stage))[consent].end
    first = end.replace(month=end.month - 1) if end.day <= 28 else end - timedelta(days=end.day)
    await to_day(stage, first + timedelta(days=days))
    page = await offered(stage, browser)
    assert boxes(page) == ([consent] if there else [])


async def test_row_9_a_renewal_moves_the_last_day_and_nothing_else(stage: CitizenStage) -> None:
    """One version, one entry, a text of its own that was shown; the grant follows."""
    browser = stage.browser()
    consent = await agreed(stage, browser, BILLS)
    before = (await terms(stage))[consent]
    await to_day(stage, before.end - timedelta(days=10))
    page, entries = await offered(stage, browser), await stage.count("ledger_payload")
    done = await browser.submit(page, page.form("decision"), {"renew": [consent], "decision": "renew"})
    assert done.url.endswith(f"/my/renewals/done?consent={consent}")
    after = (await terms(stage))[consent]
    assert after.end == before.end + (before.end - before.start)
    assert (after.start, after.items, after.retention) == (before.start, before.items, before.retention)
    assert await stage.count("ledger_payload") == entries + 1
    *_, give, renew = sorted(await stage.rows("consent_version"), key=lambda row: row.version)
    assert (renew.move, renew.by, renew.state) == ("renew", "citizen", "active")
    (text,) = [row for row in await stage.rows("consent_text") if row.hash == renew.text_hash]
    assert give.text_hash != renew.text_hash
    assert str(after.end.year) in text.body
    (grant,) = await stage.rows("oauth_grant")
    assert grant.consent_version == renew.version
    assert from_details(orjson.loads(grant.details)) == after
    assert boxes(await offered(stage, browser)) == []


async def test_a_renewal_never_reaches_past_the_longest_period(stage: CitizenStage) -> None:
    """However long was asked first, the purpose's year counts from the day of the yes."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    for _ in range(4):
        end = (await terms(stage))[consent].end
        await to_day(stage, end - timedelta(days=3))
        page = await offered(stage, browser)
        await browser.submit(page, page.form("decision"), {"renew": [consent], "decision": "renew"})
        after = (await terms(stage))[consent].end
        assert end < after <= korean_day(stage.at) + timedelta(days=366)


async def test_row_31_renewals_come_together_and_each_is_chosen_alone(stage: CitizenStage) -> None:
    """Three that run out on one page; what is not ticked stays as it is and ends on its day."""
    browser = stage.browser()
    await agreed(stage, browser)
    for _ in range(2):
        page = await browser.open(await stage.ask())
        await browser.submit(page, page.form("item"), {"decision": "agree"})
    before = await terms(stage)
    made = list(before)
    await to_day(stage, before[made[0]].end - timedelta(days=5))
    page = await offered(stage, browser)
    assert set(boxes(page)) == set(made)
    await browser.submit(page, page.form("decision"), {"renew": made[:2], "decision": "renew"})
    after = await terms(stage)
    assert [after[id].end > before[id].end for id in made] == [True, True, False]
    assert boxes(await offered(stage, browser)) == made[2:]


async def test_nothing_ticked_renews_nothing(stage: CitizenStage) -> None:
    """The page says so and everything stays."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    before = await terms(stage)
    await to_day(stage, before[consent].end)
    page = await offered(stage, browser)
    again = await browser.submit(page, page.form("decision"), {"renew": [], "decision": "renew"})
    assert again.status == 422
    assert await terms(stage) == before


async def test_what_changed_meanwhile_is_not_renewed(stage: CitizenStage) -> None:
    """Paused in another tab, or never offered: refused, and the page shows what there is now."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    before = await terms(stage)
    await to_day(stage, before[consent].end)
    page = await offered(stage, browser)
    pause = await browser.open(f"{stage.origin}/my/consents/{consent}/pause")
    await browser.submit(pause, pause.form("version"), {"decision": "pause"})
    refused = await browser.submit(page, page.form("decision"), {"renew": [consent], "decision": "renew"})
    assert refused.status == 409
    forged = await browser.submit(page, page.form("decision"), {"renew": ["c-none"], "decision": "renew"})
    assert forged.status == 409
    assert await terms(stage) == before


async def test_another_citizens_consent_is_not_offered(stage: CitizenStage) -> None:
    """Nor renewed, when its id and text are sent along."""
    browser, other = stage.browser(), stage.browser()
    consent = await agreed(stage, browser)
    before = await terms(stage)
    await to_day(stage, before[consent].end)
    page = await offered(stage, browser)
    await stage.at_question(other, person="p03")
    theirs = await offered(stage, other)
    assert boxes(theirs) == []
    sent = await other.submit(page, page.form("decision"), {"renew": [consent], "decision": "renew"})
    assert sent.status == 409
    assert (await terms(stage))[consent] == before[consent]


async def test_a_consent_that_ended_cannot_be_renewed(stage: CitizenStage) -> None:
    """A second after its last day it is over; what was shown before does not bring it back."""
    browser = stage.browser()
    consent = await agreed(stage, browser)
    before = await terms(stage)
    await to_day(stage, before[consent].end)
    page = await offered(stage, browser)
    stage.later(days=1)
    await stage.at_question(browser)
    refused = await browser.submit(page, page.form("decision"), {"renew": [consent], "decision": "renew"})
    assert refused.status == 409
    assert (await terms(stage))[consent] == before[consent]
