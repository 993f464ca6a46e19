"""Accounts, kinds, cycles and the last day taken back on the narrowing page, at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio

from consent.accounts import label
from consent.choices import within
from consent.items import from_details
from gateway.demo.browser import Page
from gateway.demo.company import CompanyError
from tests.flows.chosen import BANK, BILLS, everything, question, sent
from tests.world import Given, World, open_world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, store_url: str | None) -> AsyncIterator[World]:
    """A world in which the thirteenth person has several accounts, lines and meters."""
    async with open_world(tmp_path_factory.mktemp("narrowed"), store_url, count=13) as opened:
        yield opened


async def _given(world: World) -> tuple[Given, list[str]]:
    """A consent for both accounts of the bank, and their boxes."""
    asked = await question(world)
    boxes = asked.boxes(BANK)
    return await asked.agreed(account=[*boxes, *everything(asked, BILLS)]), boxes


async def _narrowing(world: World, given: Given) -> Page:
    return await given.citizen.browser.open(f"{world.origin}/my/consents/{given.consent_id}/narrow")


async def _narrowed(given: Given, page: Page, **choose: Any) -> tuple[Page, Page]:
    """The page of changes, and the one after confirming them."""
    browser = given.citizen.browser
    changes = await browser.submit(page, page.form("version"), {"decision": "look", **choose})
    assert changes.status == 200, changes.words[:400]
    return changes, await browser.submit(changes, changes.form("version"), {"decision": "narrow"})


async def _terms(world: World, given: Given) -> Any:
    row = next(one for one in await world.rows("consent") if one["id"] == given.consent_id)
    return from_details(orjson.loads(row["terms"]))


async def test_row_5_one_account_is_taken_back(world: World) -> None:
    """By its masked name; the grant follows, and only the other one's rows are sent from then on."""
    given, boxes = await _given(world)
    before, person = await _terms(world, given), world.sandbox.people[12]
    page = await _narrowing(world, given)
    names = [label(one.prod_name, one.account_num) for one in person.accounts[:2]]
    assert all(name in page.words for name in names)
    changes, done = await _narrowed(given, page, account=[boxes[1]])
    assert names[0] in changes.words.split("계속 보내는 것")[0]
    assert done.url.endswith("/narrowed")
    assert names[1] in done.words
    assert names[0] not in done.words
    after = await _terms(world, given)
    assert within(after, before)
    assert after.item(BANK).accounts == (boxes[1].rsplit("/", 1)[1],)
    page = await given.citizen.look(given.consent_id)
    assert names[1] in page.words
    assert names[0] not in page.words
    await given.company.refresh()
    _, _, rows = await sent(world, given)
    assert len(rows[BANK]) == len(person.accounts[1].transactions)


async def test_row_5_a_sealed_bundle_with_more_rows_than_agreed_goes(world: World) -> None:
    """What was sealed for both accounts cannot be fetched once one of them was taken back."""
    given, boxes = await _given(world)
    transfer, _, _ = await sent(world, given)
    await _narrowed(given, await _narrowing(world, given), account=[boxes[0]])
    await given.company.refresh()
    with pytest.raises(CompanyError) as caught:
        await given.company.download(transfer["bundle"].rsplit("/", 1)[1])
    assert caught.value.code == "not_found"


async def test_row_7_rows_cycle_and_end_are_made_smaller(world: World) -> None:
    """Kind, amount, cycle and last day, one confirmation; the words say what changes."""
    given, boxes = await _given(world)
    page = await _narrowing(world, given)
    month = page.text.split('name="end"')[1].split('value="')[1].split('"')[0]
    choose = {"account": boxes, "kind": [f"{BANK}/03"], "least": [f"{BANK}/50000"], "end": month}
    changes, done = await _narrowed(given, page, **choose, **{"cycle-additional": "P30D"})
    assert "입금 기록만 보내요" in changes.words
    assert "30일" in changes.words
    assert done.url.endswith("/narrowed")
    after = await _terms(world, given)
    assert (after.end.isoformat(), after.item(BANK).frequency) == (month, "P30D")
    assert after.item(BANK).filters.types == ("03",)
    assert after.item(BANK).filters.least == 50_000


@pytest.mark.parametrize(
    "choose",
    [
        {"account": [f"{BANK}/{'a' * 26}"]},
        {"kind": [f"{BANK}/88"]},
        {"cycle-additional": "P1D"},
        {"end": "2090-01-01"},
        {"least": [f"{BANK}/12345"]},
    ],
    ids=["account", "kind", "cycle", "end", "amount"],
)
async def test_nothing_is_added_by_narrowing_rows(world: World, choose: dict[str, Any]) -> None:
    """Whatever a page is made to send beyond its own lists is refused, and the consent stays as it is."""
    given, boxes = await _given(world)
    page, before = await _narrowing(world, given), await _terms(world, given)
    browser, form = given.citizen.browser, page.form("version")
    answer = await browser.submit(page, form, {"decision": "look", "account": boxes, **choose})
    assert (answer.status, "form_invalid" in answer.words) == (400, True)
    assert await _terms(world, given) == before


async def test_the_last_account_of_what_is_needed_stays(world: World) -> None:
    """Nothing would be left of an item the service needs: that is a withdrawal, and the page says so."""
    given, _ = await _given(world)
    page = await _narrowing(world, given)
    form = page.form("version")
    answer = await given.citizen.browser.submit(page, form, {"decision": "look", "account": []})
    assert answer.status == 422
