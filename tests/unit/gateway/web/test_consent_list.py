"""The list of consents: a part, an order, a page; all by plain links, and each as it stands now."""

from __future__ import annotations

from datetime import timedelta

import orjson

from consent.calendar import korean_day
from consent.items import from_details
from gateway.demo.browser import Browser, Page
from gateway.web.paging import PAGE
from tests.citizen_stage import CitizenStage
from tests.unit.gateway.web.test_narrow import agreed
from tests.unit.gateway.web.test_pause import said


async def listed(stage: CitizenStage, browser: Browser, query: str = "") -> Page:
    """The list, signed in again if need be."""
    page = await browser.open(f"{stage.origin}/my/consents{query}")
    if any("/sign-in/start" in link for link in page.links):
        await stage.sign_in(browser, page)
        page = await browser.open(f"{stage.origin}/my/consents{query}")
    return page


def rows(page: Page) -> list[str]:
    """The consents a page shows, in order."""
    found = (link.rpartition("/")[2] for link in page.links if "/my/consents/c-" in link)
    return [id for id in dict.fromkeys(found) if id.startswith("c-")]


async def several(stage: CitizenStage, browser: Browser, number: int) -> list[str]:
    """So many consents, the oldest first."""
    await agreed(stage, browser)
    for _ in range(number - 1):
        page = await browser.open(await stage.ask())
        await browser.submit(page, page.form("item"), {"decision": "agree"})
    return [row.id for row in sorted(await stage.rows("consent"), key=lambda row: (row.created_at, row.id))]


async def test_check_22_each_part_of_the_list_by_how_it_stands(stage: CitizenStage) -> None:
    """Active, paused, ended: by a link each, with expiry and last use in each row."""
    browser = stage.browser()
    active, paused, ended = await several(stage, browser, 3)
    await said(stage, browser, paused, "pause")
    page = await browser.open(f"{stage.origin}/my/consents/{ended}/withdraw")
    await browser.submit(page, page.form("decision"), {"decision": "withdraw"})
    first = await listed(stage, browser)
    assert set(rows(first)) == {active, paused, ended}
    assert "마지막으로 보낸 때" in first.words
    for query, expected in (("active", [active]), ("paused", [paused])):
        assert f"/my/consents?show={query}" in [link.removeprefix(stage.origin) for link in first.links]
        assert rows(await listed(stage, browser, f"?show={query}")) == expected
    over = rows(await listed(stage, browser, "?show=ended"))
    leaving = rows(await listed(stage, browser, "?show=withdrawing"))
    assert over + leaving == [ended]
    assert "이런 동의는 없어요" in (await listed(stage, browser, "?show=waiting")).words
    assert rows(await listed(stage, browser, "?show=nonsense&sort=nonsense")) == rows(first)


async def test_what_ran_out_counts_as_ended_before_it_is_written(stage: CitizenStage) -> None:
    """The list asks the clock, not only the row."""
    browser = stage.browser()
    (consent,) = await several(stage, browser, 1)
    stage.later(days=200)
    assert rows(await listed(stage, browser, "?show=active")) == []
    assert rows(await listed(stage, browser, "?show=ended")) == [consent]


async def test_pages_of_a_part_go_on_within_it(stage: CitizenStage) -> None:
    """The link to what is older keeps part and order; every one comes once."""
    browser = stage.browser()
    made = await several(stage, browser, PAGE + 2)
    await said(stage, browser, made[0], "pause")
    for query in ("?show=active", "?show=active&sort=ending"):
        page = await listed(stage, browser, query)
        seen = rows(page)
        assert len(seen) == PAGE
        (older,) = [link for link in page.links if "before=" in link]
        assert "show=active" in older
        rest = await browser.open(older if older.startswith("http") else stage.origin + older)
        assert sorted(seen + rows(rest)) == sorted(made[1:])


async def test_the_list_as_json_is_the_list(stage: CitizenStage) -> None:
    """The same session, parts and pages; nobody signed in is told so; a browser gets its page as ever."""
    browser = stage.browser()
    made = await several(stage, browser, PAGE + 1)
    await said(stage, browser, made[-1], "pause")
    wish = {"Accept": "application/json"}
    stranger = await stage.browser().http.get(f"{stage.origin}/my/consents", headers=wish)
    assert (stranger.status_code, stranger.json()["code"]) == (401, "sign_in_needed")
    http = browser.http
    first = await http.get(f"{stage.origin}/my/consents", headers=wish)
    assert first.headers["cache-control"] == "no-store"
    rest = await http.get(first.json()["next"], headers=wish)
    both = [one["id"] for one in first.json()["consents"] + rest.json()["consents"]]
    assert (sorted(both), rest.json()["next"]) == (sorted(made), None)
    (paused,) = (await http.get(f"{stage.origin}/my/consents?show=paused", headers=wish)).json()["consents"]
    assert (paused["id"], paused["state"], paused["last_sent_at"]) == (made[-1], "paused", None)
    page = await http.get(f"{stage.origin}/my/consents", headers={"Accept": "text/html,application/json"})
    assert page.headers["content-type"].startswith("text/html")


async def test_what_ends_soon_leads_to_its_renewal(stage: CitizenStage) -> None:
    """From a month before, the list and the consent's page have a link to the renewals."""
    browser = stage.browser()
    (consent,) = await several(stage, browser, 1)
    (row,) = await stage.rows("consent")
    end = from_details(orjson.loads(row.terms)).end
    assert "/my/renewals" not in " ".join((await listed(stage, browser)).links)
    while korean_day(stage.at) < end - timedelta(days=20):
        stage.later(days=1)
    assert "/my/renewals" in " ".join((await listed(stage, browser)).links)
    page = await browser.open(f"{stage.origin}/my/consents/{consent}")
    assert "/my/renewals" in " ".join(page.links)


async def test_check_30_the_history_says_what_each_version_changed(stage: CitizenStage) -> None:
    """A narrowing names what went, a renewal the new last day, a pause and its end what happened."""
    browser = stage.browser()
    consent = await agreed(stage, browser, "nuri-telecom/telecom.bills")
    page = await browser.open(f"{stage.origin}/my/consents/{consent}/narrow")
    fields = [f.value for f in page.form("version").fields if f.name == "field" and f.checked]
    kept = [value for value in fields if "telecom.bills" not in value]
    look = await browser.submit(page, page.form("version"), {"item": [], "field": kept, "decision": "look"})
    await browser.submit(look, look.form("version"), {"decision": "narrow"})
    await said(stage, browser, consent, "pause")
    await said(stage, browser, consent, "resume")
    told = (await browser.open(f"{stage.origin}/my/consents/{consent}")).words
    assert "더는 보내지 않아요: 누리텔레콤" in told
    assert "잠시 멈췄어요" in told
    assert "다시 보내기로 했어요" in told
