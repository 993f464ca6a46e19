"""The fair-use table at the real doors, for purposes that a folder of further sectors adds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from consent.calendar import korean_day
from gateway.demo.citizen import Wishes
from gateway.demo.company import CompanyError
from tests.world import World, open_world

ROADMAP = Path(__file__).resolve().parents[2] / "consent/catalogue/roadmap"
ONE = Wishes(items=())


@pytest_asyncio.fixture(loop_scope="function")
async def lending(tmp_path: Path, own_url: str) -> AsyncIterator[World]:
    """A gateway that reads the fusion folder, and a consortium that may review loans."""
    folders = tuple(ROADMAP / stage for stage in ("eight", "ten", "thirteen", "fusion"))
    async with open_world(tmp_path, own_url, purposes=("loan-review",), catalogues=folders) as opened:
        yield opened


def asked(world: World, back: int) -> list[dict[str, Any]]:
    """One bank account's transactions, once, so many days back, for a loan."""
    today = korean_day(world.clock())
    item = {
        "dataset": "finance.deposit-transactions",
        "fields": ["trans_dtime", "trans_amt"],
        "required": True,
        "frequency": "once",
        "history_from": (today - timedelta(days=back)).isoformat(),
    }
    return [
        {
            "type": "mydata_transfer",
            "holder": "hanbit-bank",
            "purpose": "loan-review",
            "start": today.isoformat(),
            "end": (today + timedelta(days=20)).isoformat(),
            "retention": "P20D",
            "items": [item],
        }
    ]


async def test_row_6_a_request_beyond_fair_use_is_refused_and_its_limit_named(lending: World) -> None:
    """A day beyond fourteen months: refused at the door, item, attribute and limit named, nothing changed."""
    company = await lending.company()
    async with lending.unchanged(entries=1):
        with pytest.raises(CompanyError) as caught:
            await company.push(asked(lending, 428))
    assert (caught.value.status, caught.value.body["error"]) == (400, "invalid_authorization_details")
    told = str(caught.value.body)
    assert "range" in told
    assert "427" in told


async def test_aa_second_onetime_is_refused_at_the_door(lending: World) -> None:
    """Within the limit it is agreed to and sent once; the second time it is refused as sent already."""
    given = await lending.given(asked=asked(lending, 427), wishes=ONE)
    first = await lending.settled(given.company, await given.company.ask_transfer("the-first-time"))
    assert first["state"] == "ready"
    with pytest.raises(CompanyError) as caught:
        await given.company.ask_transfer("the-second-time")
    assert caught.value.code == "transfer_refused"
    codes = {one["code"] for one in caught.value.body["params"]["reasons"]}
    assert {"already_sent", "used_too_often"} <= codes
