"""Rows 6 and 7 of the peers' table, checks 5, 7, 8, 9: kinds, amounts, cycles, ends; asked and chosen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from consent.calendar import korean_day
from gateway.demo.company import CompanyError
from gateway.demo.participants import details
from tests.flows.chosen import BANK, BILLS, METER, Asked, everything, question, sent, source
from tests.world import World, open_world

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAID = "nuri-telecom/telecom.paid-transactions"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, store_url: str | None) -> AsyncIterator[World]:
    """A world in which the thirteenth person has several accounts, lines and meters."""
    async with open_world(tmp_path_factory.mktemp("rows"), store_url, count=13) as opened:
        yield opened


def _asked(world: World, end_days: int = 180, **members: Any) -> list[dict[str, Any]]:
    """What the demo's company asks, with members put into the bank's item."""
    today = korean_day(world.clock())
    days = timedelta(days=180)
    found = details(
        today.isoformat(), (today - days).isoformat(), (today + timedelta(days=end_days)).isoformat()
    )
    found[0]["items"][0].update(members)
    return found


def _all(asked: Asked) -> list[str]:
    return everything(asked, BANK, BILLS)


def _bank(given_tokens: dict[str, Any]) -> dict[str, Any]:
    bank = next(one for one in given_tokens["authorization_details"] if one["holder"] == "hanbit-bank")
    found: dict[str, Any] = bank["items"][0]
    return found


async def test_row_7_what_the_company_filters_is_all_that_leaves(world: World) -> None:
    """Kind and amount asked for are in words on the page, in the token, in every row and in the manifest."""
    filters = {"types": ["02"], "amount_from": 10_000, "amount_to": 50_000}
    asked = await question(world, _asked(world, filters=filters))
    assert "출금 기록만 보내요" in asked.page.words
    assert "10,000부터 50,000까지" in asked.page.words
    given = await asked.agreed(account=_all(asked))
    assert _bank(given.tokens)["filters"] == filters
    _, manifest, rows = await sent(world, given)
    assert rows[BANK]
    assert all(row["trans_type"] == "02" and 10_000 <= row["trans_amt"] <= 50_000 for row in rows[BANK])
    left_out = source(manifest, BANK)["filtered"]
    assert left_out["kind_not_chosen"] > 0 < left_out["amount_not_chosen"]


async def test_row_7_the_citizen_chooses_fewer_rows_than_asked(world: World) -> None:
    """Deposits of at least 100,000 only: so says the token, and so it is sent."""
    asked = await question(world)
    given = await asked.agreed(account=_all(asked), kind=[f"{BANK}/03"], least=[f"{BANK}/100000"])
    assert _bank(given.tokens)["filters"] == {"types": ["03"], "amount_from": 100_000}
    _, _, rows = await sent(world, given)
    assert rows[BANK]
    assert all(row["trans_type"] == "03" and row["trans_amt"] >= 100_000 for row in rows[BANK])


@pytest.mark.parametrize(
    ("choose", "why"),
    [
        ({"kind": [f"{BANK}/99"]}, "a kind there is not"),
        ({"kind": [f"{BANK}/03"]}, "a kind that was not asked"),
        ({"least": [f"{BANK}/1"]}, "an amount that is not in the list"),
        ({"least": [f"{BANK}/1000"]}, "less than the company's own least"),
        ({"most": ["nobody/nothing/5000"]}, "another item"),
        ({"cycle-additional": "P1D"}, "faster than asked"),
        ({"cycle-basic": "P7D"}, "a class in which nothing is sent again"),
        ({"end": "2090-01-01"}, "later than asked"),
        ({"end": "soon"}, "no day"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_row_7_nothing_but_less_can_be_chosen(world: World, choose: dict[str, Any], why: str) -> None:
    """Whatever a page is made to send beyond its own lists is refused, and no consent comes of it."""
    asked = await question(world, _asked(world, filters={"types": ["01", "02"], "amount_from": 5_000}))
    before = await world.rows("oauth_grant")
    page = await asked.answer(account=_all(asked), **choose)
    assert (page.status, "form_invalid" in page.words) == (400, True), why
    assert await world.rows("oauth_grant") == before


async def test_row_7_a_choice_nothing_could_pass_is_asked_again(world: World) -> None:
    """From 500,000 up to 1,000: the page says so instead of agreeing to nothing."""
    asked = await question(world)
    page = await asked.answer(account=_all(asked), least=[f"{BANK}/500000"], most=[f"{BANK}/1000"])
    assert page.status == 422
    assert "맞는 기록이 있을 수 없어요" in page.words


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"accounts": ["a" * 26]}, "accounts_not_askable"),
        ({"filters": {"types": ["77"]}}, "filter_type_unknown"),
        ({"filters": {"amount_from": 2, "amount_to": 1}}, "filter_empty"),
        ({"filters": {}}, "details_malformed"),
        ({"filters": {"types": []}}, "details_malformed"),
        ({"filters": {"amount_from": "10"}}, "details_malformed"),
        ({"filters": {"operator": ">"}}, "details_member_unknown"),
        ({"history_to": "2020-01-01"}, "history_ends_before"),
        ({"history_to": "yesterday"}, "details_malformed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_row_7_a_filter_that_cannot_be_is_refused(
    world: World, members: dict[str, Any], code: str
) -> None:
    """With its own code at the pushed request, before any citizen is bothered."""
    company = await world.company()
    with pytest.raises(CompanyError) as caught:
        await company.push(_asked(world, **members))
    assert caught.value.code == code


async def test_row_7_what_a_dataset_cannot_be_filtered_by_is_refused(world: World) -> None:
    """Meter readings have no amount of money and no kinds."""
    company, asked = await world.company(), _asked(world)
    meter = next(one for one in asked if one["holder"] == "haeoreum-energy")["items"][0]
    for filters in ({"amount_from": 1}, {"types": ["01"]}):
        meter["filters"] = filters
        with pytest.raises(CompanyError) as caught:
            await company.push(asked)
        assert "filter_not_offered" in str(caught.value)


async def test_check_7_the_longest_time_is_never_proposed(world: World) -> None:
    """A year asked, the most the purpose allows: the page proposes half, and the citizen may take less."""
    asked = await question(world, _asked(world, end_days=365))
    assert "가장 긴 기간" in asked.page.words
    given = await asked.agreed(account=_all(asked))
    agreed = date.fromisoformat(given.tokens["authorization_details"][0]["end"])
    assert agreed < korean_day(world.clock()) + timedelta(days=365)


async def test_check_7_an_earlier_end_holds_for_the_token_too(world: World) -> None:
    """A month instead of half a year: token, consent and the citizen's page end then."""
    asked = await question(world)
    month = asked.page.text.split('name="end"')[1].split('value="')[1].split('"')[0]
    given = await asked.agreed(account=_all(asked), end=month)
    assert {one["end"] for one in given.tokens["authorization_details"]} == {month}
    row = next(one for one in await world.rows("consent") if one["id"] == given.consent_id)
    assert row["end_at"] < world.clock.seconds + 33 * 86_400


async def test_check_8_a_slower_cycle_by_class_holds(world: World) -> None:
    """Additional information every thirty days instead of seven; what is sent once stays so."""
    asked = await question(world)
    assert "추가 정보를 보내는 주기" in asked.page.words
    choose: dict[str, Any] = {"cycle-additional": "P30D", "item": [METER, PAID]}
    given = await asked.agreed(account=everything(asked, BANK, BILLS, METER, PAID), **choose)
    cycles = {
        item["dataset"]: item["frequency"]
        for one in given.tokens["authorization_details"]
        for item in one["items"]
    }
    assert cycles == {
        "finance.deposit-transactions": "P30D",
        "telecom.bills": "once",
        "telecom.paid-transactions": "P30D",
        "energy.electricity-usage": "P30D",
    }
    await sent(world, given)
    await world.forward(8 * 86_400)
    await given.company.refresh()
    with pytest.raises(CompanyError) as caught:
        await given.company.ask_transfer("a-week-later")
    assert "too_soon" in {one["code"] for one in caught.value.body["params"]["reasons"]}


async def test_check_9_the_history_is_two_dates(world: World) -> None:
    """From when and until when is on the page as dates, and no record after it is sent."""
    today = korean_day(world.clock())
    until = today - timedelta(days=60)
    asked = await question(world, _asked(world, history_to=until.isoformat()))
    assert f"{until.year}년 {until.month}월" in asked.page.words
    given = await asked.agreed(account=_all(asked))
    _, manifest, rows = await sent(world, given)
    assert rows[BANK]
    assert max(row["trans_dtime"][:8] for row in rows[BANK]) <= f"{until:%Y%m%d}"
    assert source(manifest, BANK)["until"] == until.isoformat()


async def test_check_5_no_sensitive_switch_comes_on(world: World) -> None:
    """Memo, merchant, purchase and health are boxes of their own, off; agreeing leaves all of them out."""
    asked = await question(world)
    form = asked.page.form("decision")
    switches = {f.value: f.checked for f in form.fields if f.name == "field"}
    assert {name.rsplit("/", 1)[1] for name in switches} >= {"trans_memo", "merchant_name", "orderedItem"}
    assert not any(switches.values())
    given = await asked.agreed(account=_all(asked))
    fields = {f for one in given.tokens["authorization_details"] for i in one["items"] for f in i["fields"]}
    assert not fields & {name.rsplit("/", 1)[1] for name in switches}
