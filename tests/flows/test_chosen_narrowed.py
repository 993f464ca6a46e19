"""Accounts, kinds, cycles and the last day taken back on the narrowing page, at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio

from connectors.sandbox.faults import Fault
from consent.accounts import label
from consent.choices import within
from consent.items import from_details
from gateway.demo.browser import Page
from gateway.demo.company import CompanyError
from tests.flows.chosen import BANK, BILLS, account_boxes, everything, others, question, sent
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


def _boxes(page: Page, item: str) -> list[str]:
    """The boxes of an item's single accounts."""
    return [
        one.value
        for one in account_boxes(page)
        if one.value.startswith(f"{item}/") and one.value != f"{item}/all"
    ]


async def test_row_5_one_account_is_taken_back(world: World) -> None:
    """By its masked name; the grant follows, and only the other one's rows are sent from then on."""
    given, boxes = await _given(world)
    before, person = await _terms(world, given), world.sandbox.people[12]
    page = await _narrowing(world, given)
    names = [label(one.prod_name, one.account_num) for one in person.accounts[:2]]
    assert all(name in page.words for name in names)
    changes, done = await _narrowed(given, page, account=[boxes[1], *others(page, BANK)])
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


async def test_row_5_from_all_accounts_to_one(world: World) -> None:
    """Where all are sent one can be chosen: only its rows are fetched from then on, and its name is kept."""
    asked, person = await question(world), world.sandbox.people[12]
    given = await asked.agreed(account=everything(asked, BANK, BILLS))
    page = await _narrowing(world, given)
    names = [label(one.prod_name, one.account_num) for one in person.accounts[:2]]
    single = _boxes(page, BANK)[1]
    assert [one.value for one in account_boxes(page) if one.checked and BANK in one.value] == [f"{BANK}/all"]
    changes, done = await _narrowed(given, page, account=[single, *others(page, BANK)])
    assert f"{names[1]}의 기록만 보내요" in changes.words
    assert names[0] not in changes.words
    assert names[1] in done.words
    after = await _terms(world, given)
    assert after.item(BANK).accounts == (single.rsplit("/", 1)[1],)
    await given.company.refresh()
    _, _, rows = await sent(world, given)
    assert len(rows[BANK]) == len(person.accounts[1].transactions)
    assert names[1] in (await given.citizen.look(given.consent_id)).words


async def test_all_and_one_besides_is_asked_again(world: World) -> None:
    """Ticking all and one, or none at all, is not guessed at: the page says so and nothing changes."""
    asked = await question(world)
    given = await asked.agreed(account=everything(asked, BANK, BILLS))
    page, before = await _narrowing(world, given), await _terms(world, given)
    form, browser, rest = page.form("version"), given.citizen.browser, others(page, BANK)
    ticked = [f"{BANK}/all", _boxes(page, BANK)[0], *rest]
    both = await browser.submit(page, form, {"decision": "look", "account": ticked})
    assert (both.status, "둘 중 하나만" in both.words) == (422, True)
    none = await browser.submit(page, form, {"decision": "look", "account": rest})
    assert none.status == 422
    assert await _terms(world, given) == before


async def test_a_holder_that_lists_nothing_keeps_nobody_from_narrowing(world: World) -> None:
    """The page says why single accounts cannot be chosen; everything else can be taken back."""
    asked = await question(world)
    given = await asked.agreed(account=everything(asked, BANK, BILLS))
    world.faults["hanbit-bank"].add(Fault.DOWN)
    try:
        page = await _narrowing(world, given)
    finally:
        world.calm()
    assert "목록을 받지 못해 지금은 하나씩 고를 수 없어요" in page.words
    assert _boxes(page, BANK) == []
    month = page.text.split('name="end"')[1].split('value="')[1].split('"')[0]
    _, done = await _narrowed(given, page, end=month)
    assert done.url.endswith("/narrowed")
    after = await _terms(world, given)
    assert (after.end.isoformat(), after.item(BANK).accounts) == (month, None)


async def test_lists_to_narrow_with_are_ended_at_their_holders(world: World) -> None:
    """What was opened for the page is over with the narrowing, and holders acknowledge it."""
    asked = await question(world)
    given = await asked.agreed(account=everything(asked, BANK, BILLS))
    page = await _narrowing(world, given)

    def mine(rows: list[dict[str, Any]]) -> set[str]:
        return {one["state"] for one in rows if given.consent_id in one["interaction_id"]}

    assert mine(await world.rows("list_authorization")) == {"waiting"}
    await _narrowed(given, page, account=[_boxes(page, BANK)[0], *others(page, BANK)])
    for _ in range(400):
        if mine(await world.rows("list_authorization")) == {"acknowledged"}:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(mine(await world.rows("list_authorization")))


async def test_row_5_a_sealed_bundle_with_more_rows_than_agreed_goes(world: World) -> None:
    """What was sealed for both accounts cannot be fetched once one of them was taken back."""
    given, boxes = await _given(world)
    transfer, _, _ = await sent(world, given)
    page = await _narrowing(world, given)
    await _narrowed(given, page, account=[boxes[0], *others(page, BANK)])
    await given.company.refresh()
    with pytest.raises(CompanyError) as caught:
        await given.company.download(transfer["bundle"].rsplit("/", 1)[1])
    assert caught.value.code == "not_found"


async def test_row_7_rows_cycle_and_end_are_made_smaller(world: World) -> None:
    """Kind, amount, cycle and last day, one confirmation; the words say what changes."""
    given, boxes = await _given(world)
    page = await _narrowing(world, given)
    month = page.text.split('name="end"')[1].split('value="')[1].split('"')[0]
    ticked = [*boxes, *others(page, BANK)]
    choose = {"account": ticked, "kind": [f"{BANK}/03"], "least": [f"{BANK}/50000"], "end": month}
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
    browser, form, ticked = given.citizen.browser, page.form("version"), [*boxes, *others(page, BANK)]
    answer = await browser.submit(page, form, {"decision": "look", "account": ticked, **choose})
    assert (answer.status, "form_invalid" in answer.words) == (400, True)
    assert await _terms(world, given) == before


async def test_the_last_account_of_what_is_needed_stays(world: World) -> None:
    """Nothing would be left of an item the service needs: that is a withdrawal, and the page says so."""
    given, _ = await _given(world)
    page = await _narrowing(world, given)
    form = page.form("version")
    answer = await given.citizen.browser.submit(page, form, {"decision": "look", "account": []})
    assert answer.status == 422
