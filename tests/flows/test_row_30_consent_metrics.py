"""Row 30: past days in figures with where citizens left, from the records and from the ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.faults import Fault
from consent.calendar import day_begins, day_ends, korean_day
from gateway.demo.company import CompanyError
from gateway.ledger import index
from gateway.oauth import abandonment
from gateway.support import figures, readiness, sources
from tests.flows.portal import SECRETS, Portal, entered, open_portal
from tests.tables import with_tables
from tests.world import World

DAY = 86_400


@pytest.fixture
async def portal(tmp_path: Path, database_url: str) -> AsyncIterator[Portal]:
    """A world with a supervisor's account, on each store."""
    url = await with_tables(database_url)
    async with open_portal(tmp_path, url) as opened:
        yield opened


async def ask(world: World, token: str = SECRETS["supervisor"], **query: str) -> Any:
    """One look."""
    headers = {"authorization": f"Bearer {token}"}
    return await world.http.get(f"{world.origin}/metrics/consents", params=query, headers=headers)


async def both(world: World, day: date, days: int) -> list[list[dict[str, Any]]]:
    """The same days from the records and from the ledger once everything stands in it."""
    await world.parts.log.integrate_now()
    begin, end = day_begins(day), day_ends(day + timedelta(days=days - 1))
    async with world.database.reading() as session:
        found = (
            await sources.of_records(session, begin, end),
            await sources.of_ledger(session, world.parts.journal.keys, begin, end),
        )
    return [[figures.of_day(one, day + timedelta(days=n)) for n in range(days)] for one in found]


async def refuse(world: World, given: Any, times: int) -> None:
    """The company asks for something the citizen did not agree to, again and again."""
    asked = {"items": ["nuri-telecom/telecom.paid-transactions"]}
    for number in range(times):
        headers = {"Idempotency-Key": f"row-30-refused-{number}"}
        answer = await given.company.call("POST", f"{world.origin}/transfers", headers=headers, json=asked)
        assert answer.status_code in (403, 429), answer.text


async def test_row_30_a_past_week_is_the_same_from_records_and_ledger(portal: Portal) -> None:
    """Given, sent with one holder down, refused, withdrawn the day after: seven days told twice are one."""
    world = portal.world
    day = korean_day(world.clock())
    given = await world.given()
    world.faults["dadam-market"].add(Fault.DOWN)
    await world.settled(given.company, await given.company.ask_transfer("row-30-sent"))
    world.calm()
    await refuse(world, given, 3)
    await world.forward(DAY)
    await given.citizen.browser.open(f"{world.origin}/my/consents")
    records, ledger = await both(world, day, 7)
    assert records == ledger

    first = records[0]
    assert first["authorisations"] == {"active": 1, "new": 1, "revoked": 0, "amended": 0, "expired": 0}
    assert first["invocations"]["transfers"] == 4
    assert first["invocations"]["transfersRefused"] == 3
    assert first["invocations"]["bundles"] == 1
    assert first["errors"] == {"aggregate": 1, "byCode": {"holder_down": 1}}
    assert first["averageResponse"]["scheduled"] is None
    assert first["peakTps"] >= 1
    assert records[1]["invocations"]["transfers"] == 0


async def test_row_30_the_door_tells_a_day_that_is_over_and_each_look_is_logged(portal: Portal) -> None:
    """With abandonment by stage, what was turned away, and where each figure can be made from again."""
    world = portal.world
    day = korean_day(world.clock())
    company, citizen = await world.company(), await world.citizen()
    await world.question(company, citizen)
    await world.given(company, citizen)
    early = await ask(world, first=day.isoformat())
    assert (early.status_code, early.json()["params"]) == (400, {"what": "first"})

    await world.forward(2 * DAY)
    async with world.database.transaction() as session:
        await abandonment.count(session, world.clock.seconds)
        await readiness.mark(session, day_begins(day))
    answer = await ask(world, first=day.isoformat())
    assert answer.status_code == 200, answer.text
    (told,) = answer.json()["days"]
    left = told["authorisations"]["abandonmentsByStage"]
    assert list(left) == [
        "preIdentification",
        "preAuthentication",
        "preAccountSelection",
        "preAuthorisation",
        "rejected",
        "failedTokenExchange",
    ]
    assert 0 < float(told["availability"]) < 1
    assert left["preAccountSelection"] == 1
    assert told["authorisations"]["abandonedConsentFlowCount"] == sum(left.values())
    assert told["authorisations"]["new"] == 1
    assert set(answer.json()["sources"]) >= {"availability", "rejections", "authorisations"}
    assert (await entered(world, "metrics:"))["metrics:period:shown", "supervisor"] == 1


async def test_row_30_who_may_not_look_and_what_cannot_be_asked(portal: Portal) -> None:
    """Nobody, a portal without the power, a span too long, a day to come: refused, nothing entered."""
    world = portal.world
    day = korean_day(world.clock()) - timedelta(days=40)
    for token, status in (("none", 401), ("guessed", 401), (SECRETS["viewer"], 403), (portal.token, 401)):
        assert (await ask(world, token, first=day.isoformat())).status_code == status
    for wrong in (
        {},
        {"first": "yesterday"},
        {"first": "2026-02-30"},
        {"first": "0001-01-01"},
        {"first": day.isoformat(), "last": (day + timedelta(days=31)).isoformat()},
        {"first": day.isoformat(), "last": (day - timedelta(days=1)).isoformat()},
        {"first": day.isoformat(), "client": "x"},
    ):
        assert (await ask(world, **wrong)).status_code == 400
    last = (day + timedelta(days=30)).isoformat()
    assert len((await ask(world, first=day.isoformat(), last=last)).json()["days"]) == 31
    assert (await entered(world, "metrics:"))["metrics:period:shown", "supervisor"] == 1


async def test_row_30_what_was_turned_away_is_told_from_the_ledger(portal: Portal) -> None:
    """A request of a known company for a purpose there is not stands in its day, by code."""
    world = portal.world
    day = korean_day(world.clock())
    company, asked = await world.company(), world.asked()
    for entry in asked:
        entry["purpose"] = "no-such-purpose"
    with pytest.raises(CompanyError):
        await company.push(asked)
    await world.forward(2 * DAY)
    await until_indexed(world)
    (told,) = (await ask(world, first=day.isoformat())).json()["days"]
    assert told["rejections"]["aggregate"] == sum(told["rejections"]["byCode"].values()) == 1
    assert told["invocations"]["transfers"] == 0


async def until_indexed(world: World) -> None:
    """Everything that stands in the log can be searched for."""
    async with world.database.transaction() as session:
        while await index.catch_up(session):
            pass
