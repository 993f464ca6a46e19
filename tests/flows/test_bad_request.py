"""What may not be asked for: the wrong purpose, too much, too long, of whom nobody knows."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from tests.flows.messages import push, token
from tests.flows.told import told
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

Details = list[dict[str, Any]]


def item(details: Details) -> dict[str, Any]:
    """The first item of the first object."""
    first: dict[str, Any] = details[0]["items"][0]
    return first


def far(details: Details, days: int) -> None:
    """Let every object end `days` from its start."""
    for one in details:
        one["end"] = (date.fromisoformat(one["start"]) + timedelta(days=days)).isoformat()


BROKEN: dict[str, tuple[Callable[[Details], object], str]] = {
    "a type nobody knows": (lambda d: d[0].update(type="payment_initiation"), "details_type_unknown"),
    "a member nobody knows": (lambda d: d[0].update(shade="blue"), "details_member_unknown"),
    "no purpose": (lambda d: d[0].pop("purpose"), "details_member_missing"),
    "a purpose of its own": (lambda d: [one.update(purpose="curiosity") for one in d], "purpose_unknown"),
    "two purposes": (lambda d: d[1].update(retention="P30D"), "details_not_shared"),
    "a holder nobody registered": (lambda d: d[0].update(holder="no-such-bank"), "holder_unknown"),
    "the same holder twice": (lambda d: d.append(copy.deepcopy(d[0])), "duplicate_holder"),
    "data not in the catalogue": (
        lambda d: item(d).update(dataset="finance.dreams"),
        "item_not_in_catalogue",
    ),
    "another sector's data": (lambda d: item(d).update(dataset="telecom.bills"), "dataset_not_of_holder"),
    "a field not in the catalogue": (
        lambda d: item(d).update(fields=["trans_amt", "shoe_size"]),
        "field_not_in_catalogue",
    ),
    "for ever": (lambda d: far(d, 3650), "period_too_long"),
    "kept for ever": (lambda d: [one.update(retention="P3650D") for one in d], "retention_too_long"),
    "all of the past": (lambda d: item(d).update(history_from="1999-01-01"), "history_too_long"),
    "every hour": (lambda d: item(d).update(frequency="PT1H"), "frequency_invalid"),
    "no fields": (lambda d: item(d).update(fields=[]), "details_malformed"),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_an_unknown_or_overbroad_request_is_refused(world: World, what: str) -> None:
    """Each is named with its own code; nothing is kept of the request but that it was refused."""
    company, asked = await world.company(), world.asked()
    change, code = BROKEN[what]
    change(asked)
    pending = await world.rows("authorization_request")
    async with world.unchanged(entries=1):
        body = told(await push(company, authorization_details=json.dumps(asked)), code, 400)
    assert body["error"] == "invalid_authorization_details"
    assert await world.rows("authorization_request") == pending


@pytest.mark.parametrize(("text", "code"), [("[", "details_not_json"), ("{}", "details_not_json")])
async def test_details_that_cannot_be_read(world: World, text: str, code: str) -> None:
    """What is not a JSON array of objects is refused as such."""
    async with world.unchanged(entries=1):
        told(await push(await world.company(), authorization_details=text), code, 400)


async def test_details_are_needed(world: World) -> None:
    """A request that does not say what it wants is refused, a scope instead of details too."""
    company = await world.company()
    async with world.unchanged(entries=2):
        told(await push(company, authorization_details=""), "details_missing", 400)
        asked = json.dumps(world.asked())
        told(await push(company, authorization_details=asked, scope="everything"), "invalid_scope", 400)


async def test_a_refresh_cannot_widen_what_was_granted(world: World) -> None:
    """A refresh that asks for the items the citizen left out is refused; the tokens stay as they were."""
    given = await world.given()
    company, refresh = given.company, given.tokens["refresh_token"]
    async with world.unchanged(entries=1):
        response = await token(
            company,
            grant_type="refresh_token",
            refresh_token=refresh,
            authorization_details=json.dumps(world.asked()),
        )
        told(response, "details_widened", 400)
    assert (await company.refresh())["access_token"]


@pytest.mark.parametrize("names", [["hanbit-bank/finance.dreams"], ["nuri-telecom/telecom.contracts"], []])
async def test_a_transfer_of_what_was_not_consented(world: World, names: list[str]) -> None:
    """An item nobody knows, one the citizen left out, or none at all: refused, no decision, no transfer."""
    given = await world.given()
    async with world.unchanged():
        response = await given.company.call(
            "POST",
            f"{world.origin}/transfers",
            headers={"Idempotency-Key": "not-consented-1"},
            json={"items": names},
        )
        told(response, "item_not_consented", 403)


@pytest.mark.parametrize(
    ("content", "code", "status"),
    [
        (b"{", "invalid_request", 400),
        (b'{"all": true}', "invalid_request", 400),
        (b" " * 17000, "too_large", 413),
    ],
)
async def test_a_transfer_nobody_can_read(world: World, content: bytes, code: str, status: int) -> None:
    """Broken JSON, unknown members and bodies without end are refused before anything is decided."""
    given = await world.given()
    async with world.unchanged():
        headers = {"Idempotency-Key": "unreadable-1"}
        response = await given.company.call(
            "POST", f"{world.origin}/transfers", headers=headers, content=content
        )
        told(response, code, status)
