"""Somebody of 14 to 18 agrees alone, to what the data says, on a page in plain words (row 32, check 40)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent.catalogue import load
from tests.citizen_stage import CitizenStage

BILLS = "nuri-telecom/telecom.bills"


async def test_check_40_a_youth_agrees_alone_on_a_page_in_plain_words(stage: CitizenStage) -> None:
    """What to think about first stands above everything else; an adult's page does not have it."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    assert "누르기 전에 읽어 보세요" not in page.words
    await stage.aged(await stage.subject(browser), 15, "youth")
    page = await browser.open(page.url)
    assert "누르기 전에 읽어 보세요" in page.words
    done = await browser.submit(page, page.form("item"), {"item": [BILLS], "decision": "agree"})
    assert "동의했어요" in done.words
    assert [(row.state, row.by) for row in await stage.rows("consent")] == [("active", "citizen")]


@pytest.mark.parametrize("allowed", [(), ("finance",)])
async def test_row_32_a_youth_agrees_to_nothing_the_data_does_not_allow(
    stage: CitizenStage, allowed: tuple[str, ...]
) -> None:
    """A purpose or a sector for adults only: a clear page, opened or answered; saying no stays open."""
    browser = stage.browser()
    page = await stage.at_question(browser)
    await stage.aged(await stage.subject(browser), 15, "youth")
    catalogue = load()
    purposes = {id: replace(one, youth=allowed) for id, one in catalogue.purposes.items()}
    object.__setattr__(stage.site, "catalogue", replace(catalogue, purposes=purposes))
    opened = await browser.open(page.url)
    assert opened.status == 403
    assert "not_for_youth" in opened.words
    answered = await browser.submit(page, page.form("item"), {"item": [BILLS], "decision": "agree"})
    assert answered.status == 403
    assert await stage.given() == await stage.count("oauth_grant") == 0


def test_row_32_what_a_youth_may_agree_to_is_data() -> None:
    """Every purpose names the sectors, its own ones only; one names none."""
    purposes = load().purposes.values()
    assert all(set(one.youth) <= set(one.sectors) for one in purposes)
    assert {bool(one.youth) for one in purposes} == {True, False}
