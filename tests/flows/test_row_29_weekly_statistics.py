"""Row 29: a week's numbers, made again from the records and from the ledger, which agree."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from connectors.sandbox.faults import Fault
from consent.calendar import korean_day
from gateway.statistics import from_ledger, from_records, week
from tests.world import World

BANK, SHOP = "hanbit-bank", "dadam-market"
CODES = {
    "hanbit-bank": "A000000001",
    "nuri-telecom": "A000000002",
    "haeoreum-energy": "A000000003",
    "dadam-market": "A000000004",
    "saebom-hospital": "A000000005",
}


async def both(world: World, first: date) -> list[dict[str, Any]]:
    """The operator's week from the records, and from the ledger once everything stands in it."""
    await world.parts.log.integrate_now()
    begin, end = week.span(first)
    async with world.database.reading() as session:
        records = await from_records.facts(session, begin, end)
        ledger = await from_ledger.facts(session, world.parts.journal.keys, begin, end)
    return [week.of_operator(facts, first, CODES) for facts in (records, ledger)]


def row(told: dict[str, Any], day: date, holder: str) -> dict[str, Any]:
    """What is told of one holder on one day."""
    found = next(one for one in told["stat_list"] if one["stat_date"] == f"{day:%Y%m%d}")
    return dict(next(one for one in found["org_list"] if one["org_code"] == CODES[holder]))


def slots(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Every time slot of one holder's day."""
    return [slot for api in told["api_list"] for slot in api["tm_slot_list"]]


async def test_row_29_a_past_week_is_the_same_from_records_and_ledger(own_world: World) -> None:
    """Two consents, one with a shop that is down, one withdrawn a day later; the week told twice is one."""
    world = own_world
    day = korean_day(world.clock())
    given = await world.given()
    world.faults[SHOP].add(Fault.DOWN)
    await world.settled(given.company, await given.company.ask_transfer("weekly-statistics"))
    world.calm()

    records, ledger = await both(world, week.first_of(day))

    assert records == ledger
    assert (records["svr_usr_cnt"], records["trsms_dem_cnt"]) == (1, 1)
    bank, shop = row(records, day, BANK), row(records, day, SHOP)
    assert (bank["consent_new"], bank["consent_revoke"], bank["consent_own"]) == (1, 0, 1)
    assert sum(slot["success_api_cnt"] for slot in slots(bank)) == len(bank["api_list"]) > 0
    assert [slot["fail_list"] for slot in slots(shop)] == [[{"rsp_code": "holder_down", "cnt": 1}]]
    assert {api["api_type"] for api in bank["api_list"]} == {"2"}

    await given.citizen.withdraw(given.consent_id)
    records, ledger = await both(world, week.first_of(day))

    assert records == ledger
    assert (row(records, day, BANK)["consent_revoke"], row(records, day, BANK)["consent_own"]) == (1, 0)
    assert records["svr_usr_cnt"] == 0
    before = week.first_of(day) - timedelta(days=7)
    assert [
        sum(org["consent_new"] for one in told["stat_list"] for org in one["org_list"])
        for told in await both(world, before)
    ] == [0, 0]


async def test_row_29_a_transfer_on_a_schedule_is_counted_apart(own_world: World) -> None:
    """A company says that nobody waits; any other word for it is refused and nothing is asked."""
    given = await own_world.given()
    url = f"{own_world.origin}/transfers"

    async def ask(kind: str) -> Any:
        headers = {"Idempotency-Key": f"row-29-{kind}"}
        return await given.company.call("POST", url, headers=headers, json={"kind": kind})

    async with own_world.unchanged():
        refused = await ask("sometimes")
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")

    await own_world.settled(given.company, (await ask("scheduled")).json())
    records, ledger = await both(own_world, week.first_of(korean_day(own_world.clock())))
    assert records == ledger
    day = row(records, korean_day(own_world.clock()), BANK)
    assert {api["api_type"] for api in day["api_list"]} == {"1"}


@pytest.mark.parametrize("number", range(7))
def test_a_week_begins_on_sunday(number: int) -> None:
    """Whatever day of it is asked for, the week is the seven days from Sunday to Saturday."""
    sunday = date(2026, 11, 22)
    assert week.first_of(sunday + timedelta(days=number)) == sunday
    begin, end = week.span(sunday)
    assert end - begin == 7 * 86_400
