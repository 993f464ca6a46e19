"""Holders that fail, each in its own way: an explicit gap, the other four arrive and wait for nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from connectors.sandbox.faults import Fault
from gateway.bundles.open import BundleRejected, open_bundle
from gateway.demo.company import CompanyKeys
from gateway.web.reasons import reason
from tests.world import Given, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

BANK = "hanbit-bank/finance.deposit-transactions"
METER = "haeoreum-energy/energy.electricity-usage"
SHOP = "dadam-market/retail.orders"
CLINIC = "saebom-hospital/medical.observations"
PHONE = "nuri-telecom/telecom.bills"
DATA = {
    BANK: "/v1/bank/accounts/deposit",
    PHONE: "/v1/telecom/telecoms/bills",
    METER: "/espi/1_1/resource/Batch",
    SHOP: "/v1/orders",
    CLINIC: "/fhir/Observation",
}
"""Each item's holder, and where it serves that data."""

CASES: tuple[tuple[str, Fault, dict[str, Any], str], ...] = (
    (BANK, Fault.DOWN, {}, "holder_down"),
    (BANK, Fault.FOREIGN_NEXT, {}, "contract"),
    (PHONE, Fault.UNAVAILABLE, {"retry_after": "3600"}, "holder_down"),
    (PHONE, Fault.OVER_QUOTA, {}, "throttled"),
    (METER, Fault.MALFORMED, {}, "corrupt"),
    (METER, Fault.FOREIGN_NEXT, {}, "foreign_next"),
    (SHOP, Fault.THROTTLED, {"retry_after": "3600"}, "throttled"),
    (SHOP, Fault.FOREIGN_NEXT, {}, "foreign_next"),
    (SHOP, Fault.REDIRECT, {}, "foreign_next"),
    (CLINIC, Fault.MALFORMED, {}, "corrupt"),
    (CLINIC, Fault.FOREIGN_NEXT, {}, "foreign_next"),
    (CLINIC, Fault.HUGE, {}, "too_large"),
)
"""A bank's next page is an opaque cursor, never an address: it can only be refused as a broken contract."""


@pytest_asyncio.fixture(loop_scope="module")
async def given(world: World) -> AsyncIterator[Given]:
    """A fresh consent; afterwards every holder behaves again."""
    yield await world.given()
    world.calm()


def holder_of(item: str) -> str:
    """The holder of an item."""
    return item.partition("/")[0]


async def opened(
    world: World, given: Given, transfer: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and the parts of a transfer's bundle."""
    sealed = await given.company.download(transfer["bundle"].rsplit("/", 1)[1])
    jwks = (await world.http.get(given.company.metadata["jwks_uri"])).json()
    bundle = open_bundle(sealed, given.company.keys.sealing_private(), jwks, issuer=world.origin)
    return bundle.manifest, bundle.parts


@pytest.mark.parametrize(
    ("item", "fault", "how", "why"), CASES, ids=[f"{c[0].split('/')[0]}-{c[1]}" for c in CASES]
)
async def test_a_failing_holder_is_a_gap_and_the_others_arrive(
    world: World, given: Given, item: str, fault: Fault, how: dict[str, Any], why: str
) -> None:
    """Status, manifest and the citizen's page name the gap and its reason; the other four items are whole."""
    world.faults[holder_of(item)].add(fault, path=DATA[item], **how)

    transfer = await world.settled(given.company, await given.company.ask_transfer("one-holder-fails"))

    assert transfer["state"] == "ready"
    outcomes = {one["item"]: one for one in transfer["items"]}
    assert outcomes[item]["outcome"] in {"failed", "partial"}
    assert outcomes[item]["reason"] == why
    others = [other for other in DATA if other != item]
    assert {outcomes[other]["outcome"] for other in others} == {"complete"}
    manifest, parts = await opened(world, given, transfer)
    source = next(s for s in manifest["sources"] if s["dataset"] == item.split("/")[1])
    assert {gap["reason"] for gap in source["gaps"]} == {why}
    assert all(f"{other.replace('/', '.')}.ndjson" in parts for other in others)
    assert reason(why, "ko") in (await given.citizen.look(given.consent_id)).words
    english = await world.citizen(language="en")
    await english.sign_in(f"{world.origin}/my/consents")
    assert reason(why, "en") in (await english.look(given.consent_id)).words


async def test_a_holder_that_heals_leaves_no_gap(world: World, given: Given) -> None:
    """Two failures and a short request to wait are got over within the pull."""
    world.faults["hanbit-bank"].add(Fault.DOWN, path=DATA[BANK], times=2)
    world.faults["dadam-market"].add(Fault.THROTTLED, path=DATA[SHOP], times=1, retry_after="1")

    transfer = await world.settled(given.company, await given.company.ask_transfer("it-heals-soon"))

    outcomes = {one["item"]: one["outcome"] for one in transfer["items"]}
    assert {outcomes[item] for item in DATA} == {"complete"}


async def test_a_slow_holder_delays_no_other(world: World, given: Given) -> None:
    """While one holder takes two seconds for its first answer, the other four have answered everything."""
    for faults in world.faults.values():
        faults.times.clear()
    world.faults["hanbit-bank"].add(Fault.SLOW, path="/oauth", seconds=2.0)

    transfer = await world.settled(given.company, await given.company.ask_transfer("one-is-slow"))

    outcomes = {one["item"]: one["outcome"] for one in transfer["items"]}
    assert {outcomes[item] for item in DATA} == {"complete"}
    asked = next(at for at, path in world.faults["hanbit-bank"].times if path.startswith("/oauth"))
    for item in DATA:
        if item != BANK:
            last = max(at for at, _ in world.faults[holder_of(item)].times)
            assert last < asked + 2.0, item


async def test_row_20_all_holders_down_is_a_bundle_of_gaps(world: World, given: Given) -> None:
    """Nothing arrives, and that is said item by item: a signed manifest without parts, nothing sent."""
    for faults in world.faults.values():
        faults.add(Fault.DOWN)

    transfer = await world.settled(given.company, await given.company.ask_transfer("all-are-down"))

    assert {one["reason"] for one in transfer["items"] if one["item"] in DATA} == {"holder_down"}
    assert [one for one in transfer["items"] if one["sent"]] == []
    if transfer["state"] == "ready":
        manifest, parts = await opened(world, given, transfer)
        assert parts == {}
        assert {gap["reason"] for source in manifest["sources"] for gap in source["gaps"]} == {"holder_down"}
    page = await given.citizen.look(given.consent_id)
    assert page.words.count(reason("holder_down", "ko")) >= len(DATA)


async def test_a_bundle_opens_with_its_own_key_only(world: World, given: Given) -> None:
    """The wrong company key, another issuer, another issuer's keys: refused with a code, nothing returned."""
    transfer = await world.settled(given.company, await given.company.ask_transfer("wrong-keys"))
    sealed = await given.company.download(transfer["bundle"].rsplit("/", 1)[1])
    jwks = (await world.http.get(given.company.metadata["jwks_uri"])).json()
    key, other = given.company.keys.sealing_private(), CompanyKeys()
    for private, issuers, issuer in (
        (other.sealing_private(), jwks, world.origin),
        (key, jwks, "https://elsewhere.example"),
        (key, {"keys": [{**other.jwks()["keys"][0], "kid": jwks["keys"][0]["kid"]}]}, world.origin),
    ):
        with pytest.raises(BundleRejected) as refused:
            open_bundle(sealed, private, issuers, issuer=issuer)
        assert refused.value.code
        assert refused.value.what
