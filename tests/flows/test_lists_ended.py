"""An authorization to list accounts ends at its holder with the question: answered, put off or left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from connectors.sandbox.faults import Fault
from tests.flows.chosen import BANK, BILLS, METER, Asked, everything, question, sent
from tests.world import World, open_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOLDERS = {"hanbit-bank", "nuri-telecom", "haeoreum-energy"}
ENDED = "holder:list:ended"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, store_url: str | None) -> AsyncIterator[World]:
    """A world in which the thirteenth person has several accounts, lines and meters."""
    async with open_world(tmp_path_factory.mktemp("lists"), store_url, count=13) as opened:
        yield opened


async def lists(world: World, asked: Asked) -> list[dict[str, Any]]:
    """What is on record of the lists of one question."""
    id = asked.page.url.split("/consent/")[1].split("/")[0]
    return [row for row in await world.rows("list_authorization") if row["interaction_id"] == id]


async def ended(world: World, asked: Asked) -> list[dict[str, Any]]:
    """The same, once every holder has acknowledged."""
    for _ in range(400):
        rows = await lists(world, asked)
        if {row["state"] for row in rows} == {"acknowledged"}:
            return rows
        await asyncio.sleep(0.05)
    raise AssertionError(rows)


async def test_a_yes_ends_the_lists_and_nothing_of_the_consent(world: World) -> None:
    """Open while the page is; each holder acknowledges once, with one entry; what was granted still flows."""
    asked = await question(world)
    rows = await lists(world, asked)
    assert {(row["holder"], row["state"]) for row in rows} == {(one, "waiting") for one in HOLDERS}
    assert all(row["next_at"] > world.clock.seconds + 60 for row in rows)
    before = (await world.kinds())[ENDED]
    given = await asked.agreed(item=[METER], account=everything(asked, BANK, BILLS, METER))
    assert {row["holder"] for row in await ended(world, asked)} == HOLDERS
    assert (await world.kinds())[ENDED] == before + 3
    _, _, records = await sent(world, given, "after-the-lists")
    assert records[BANK]


async def test_a_no_is_told_until_the_holder_acknowledges(world: World) -> None:
    """A holder that is down delays nobody's no; it is told again, and the entry is made once."""
    asked, before = await question(world), (await world.kinds())[ENDED]
    world.faults["hanbit-bank"].add(Fault.DOWN, path="/consent-notices")
    page = await asked.given.citizen.browser.submit(
        asked.page, asked.page.form("decision"), {"decision": "refuse"}
    )
    assert page.url.endswith("/done")
    for _ in range(400):
        waiting = {
            row["holder"]: row["attempts"] for row in await lists(world, asked) if row["state"] == "waiting"
        }
        if list(waiting) == ["hanbit-bank"] and waiting["hanbit-bank"]:
            break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError(waiting)
    world.faults["hanbit-bank"].clear()
    world.clock.forward(3600)
    await ended(world, asked)
    assert (await world.kinds())[ENDED] == before + 3


async def test_a_question_put_off_or_left_ends_them_with_its_time(world: World) -> None:
    """Put off: they stay until the question's time is over, and go then without anybody doing anything."""
    left, off = await question(world), await question(world)
    later = await off.given.citizen.browser.submit(off.page, off.page.form("decision"), {"decision": "later"})
    assert later.url.endswith("/later")
    for asked in (left, off):
        assert {row["state"] for row in await lists(world, asked)} == {"waiting"}
    ends = max(row["next_at"] for row in [*await lists(world, left), *await lists(world, off)])
    world.clock.forward(ends - world.clock.seconds + 1)
    for asked in (left, off):
        assert {row["ended_at"] >= row["next_at"] for row in await ended(world, asked)} == {True}


async def test_an_answered_question_opens_no_list(world: World) -> None:
    """The page of a question that was answered asks no holder any more."""
    asked = await question(world)
    await asked.given.citizen.browser.submit(asked.page, asked.page.form("decision"), {"decision": "refuse"})
    known = await lists(world, asked)
    await asked.given.citizen.browser.open(asked.page.url)
    assert [row["id"] for row in await lists(world, asked)] == [row["id"] for row in known]
