"""Energy, retail and medical sandbox holders pulled through runtime, authorization and connector."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from types import ModuleType

import pytest

from connectors.authorization import notify
from connectors.contract import Outcome, Reason
from connectors.errors import HolderError
from connectors.sandbox import energy, medical, retail
from tests.unit.connectors.sandboxes import TODAY, Sandbox, everybody, someone

SECTORS = {"energy": energy, "retail": retail, "medical": medical}
YEAR = TODAY - timedelta(days=365)


@pytest.fixture(params=list(SECTORS))
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """Each of the three holders in turn."""
    module: ModuleType = SECTORS[request.param]
    made = Sandbox(module, request.param)
    async with made.http:
        yield made


async def test_everybody_gets_their_own(sandbox: Sandbox) -> None:
    """Every customer is pulled whole: complete, or empty for the person without records."""
    sector = sandbox.holder.manifest.sector
    for person in everybody()[2:8]:
        if not person.knows(sector):
            continue
        pulled = await sandbox.pull(person, TODAY - timedelta(days=60))
        some = {
            "energy": bool(person.meters),
            "retail": any(order.placed.date() >= TODAY - timedelta(days=60) for order in person.orders),
            "medical": any(o.at.date() >= TODAY - timedelta(days=60) for o in person.observations),
        }[sector]
        assert (pulled.gaps, pulled.outcome) == ((), Outcome.COMPLETE if some else Outcome.EMPTY)
        assert len({record.key for record in pulled.records}) == len(pulled.records)


async def test_bodies_have_the_catalogue_fields(sandbox: Sandbox) -> None:
    """Every record is a JSON object with field ids of the sector's catalogue file at its top."""
    wanted = {
        "energy": {"usage_point", "start", "duration_s", "value", "unit", "quality"},
        "retail": {"orderNumber", "orderDate", "orderStatus", "totalPrice", "priceCurrency", "orderedItem"},
        "medical": {"id", "status", "category", "code", "effectiveDateTime", "valueQuantity", "subject"},
    }[sandbox.holder.manifest.sector]
    pulled = await sandbox.pull(everybody()[0], YEAR)
    assert pulled.records
    assert all(wanted <= json.loads(record.body).keys() for record in pulled.records)


async def test_withdrawn_consent_is_served_nothing(sandbox: Sandbox) -> None:
    """After the notice a living token is refused as revoked, and no new one is given."""
    person = everybody()[0]
    held = await sandbox.token(person)
    await held(False)
    await notify(sandbox.gateway, sandbox.holder.manifest, "consent-p01", 1, "withdrawn")
    pulled = await sandbox.pull(person, YEAR, token=held)
    assert pulled.outcome is Outcome.REFUSED
    assert [gap.reason for gap in pulled.gaps] == [Reason.REVOKED]
    assert [gap.reason for gap in (await sandbox.pull(person, YEAR)).gaps] == [Reason.REVOKED]


async def test_unknown_dataset_is_refused(sandbox: Sandbox) -> None:
    """No token is given for a dataset the holder does not serve."""
    held = await sandbox.token(everybody()[0], "", "energy.nothing")
    pulled = await sandbox.pull(everybody()[0], YEAR, token=held)
    assert [gap.reason for gap in pulled.gaps] == [Reason.UNKNOWN_DATASET]


async def test_link_of_another_person_is_refused(sandbox: Sandbox) -> None:
    """A consent first used for one person cannot be used for another."""
    await (await sandbox.token(everybody()[0], "c1"))(False)
    pulled = await sandbox.pull(everybody()[1], YEAR, token=await sandbox.token(everybody()[1], "c1"))
    assert [gap.reason for gap in pulled.gaps] == [Reason.DENIED]


async def test_no_token_no_data(sandbox: Sandbox) -> None:
    """Every data door answers 401 without a token and with a made-up one."""
    for path in (
        "/espi/1_1/resource/Authorization",
        "/espi/1_1/resource/Batch/Subscription/x",
        "/v1/orders",
        "/fhir/Patient",
        "/fhir/Observation",
    ):
        for headers in ({}, {"authorization": "Bearer made-up"}):
            answer = await sandbox.http.get(path, headers=headers)
            assert answer.status_code in (401, 404)


async def test_minor_is_no_customer_of_the_supplier() -> None:
    """Somebody without a contract cannot be linked: no_link."""
    sandbox = Sandbox(energy, "energy")
    async with sandbox.http:
        with pytest.raises(HolderError) as refused:
            await sandbox.link(someone("minor"))
    assert refused.value.reason is Reason.NO_LINK


async def test_a_year_of_hours() -> None:
    """A year of readings is complete, hourly, in Korean time, and equals what the meter says."""
    sandbox = Sandbox(energy, "energy", page_size=31)
    person = everybody()[0]
    since, until = YEAR, TODAY - timedelta(days=5)
    async with sandbox.http:
        pulled = await sandbox.pull(person, since, until)
    meter = person.meters[0]
    expected = {r.start.isoformat(): r.watt_hours for day in meter.days(since, until) for r in meter.day(day)}
    found = {body["start"]: int(body["value"]) for body in (json.loads(r.body) for r in pulled.records)}
    assert found == expected
    assert len(found) == ((until - since).days + 1) * 24
    assert all(start.endswith("+09:00") for start in found)


async def test_later_version_of_an_order_wins() -> None:
    """Of an order that was delivered and returned only the last version remains."""
    sandbox = Sandbox(retail, "retail", page_size=3)
    person = someone("refunds")
    async with sandbox.http:
        pulled = await sandbox.pull(person, YEAR)
    last = {order.number: order.status for order in person.orders if order.placed.date() >= YEAR}
    found = {b["orderNumber"]: b["orderStatus"] for b in (json.loads(r.body) for r in pulled.records)}
    assert found == {number: f"https://schema.org/{status}" for number, status in last.items()}
    assert "OrderReturned" in set(last.values())
    assert pulled.pages > 10


@pytest.mark.parametrize(
    ("module", "path", "code"),
    [
        (energy, "/espi/1_1/resource/Batch/Subscription/0123456789abcdef0123", 403),
        (energy, "{own}?start-index=0", 400),
        (energy, "{own}?published-min=yesterday", 400),
        (retail, "/v1/orders", 400),
        (retail, "/v1/orders?ordered_from=2026-01-01&ordered_to=2026-02-01&limit=9999", 400),
        (retail, "/v1/orders?ordered_from=2026-01-01&ordered_to=2026-02-01&limit=5&cursor=AAAA", 400),
        (medical, "/fhir/Observation?patient=Patient/somebody", 403),
        (medical, "{own}&date=lt2026-01-01", 400),
        (medical, "{own}&_sort=-date", 400),
        (medical, "{own}&_page=AAAAAAAAAAAAAAAAAAAAAAAA", 400),
    ],
)
async def test_doors_refuse_bad_questions(module: ModuleType, path: str, code: int) -> None:
    """Another person's resource is 403; nonsense in the query is 400."""
    sector = module.__name__.rpartition(".")[2]
    sandbox = Sandbox(module, sector)
    async with sandbox.http:
        person = everybody()[0]
        own = ""
        if "{own}" in path and module is medical:
            patient = (await sandbox.get(person, "/fhir/Patient")).json()["entry"][0]["resource"]["id"]
            own = f"/fhir/Observation?patient=Patient/{patient}"
        elif "{own}" in path:
            feed = (await sandbox.get(person, "/espi/1_1/resource/Authorization")).text
            own = "/espi" + feed.split("<espi:resourceURI>")[1].split("<")[0].partition("/espi")[2]
        assert (await sandbox.get(person, path.replace("{own}", own))).status_code == code


async def test_cursor_of_another_person_is_refused() -> None:
    """A page cursor only works for the person it was made for."""
    sandbox = Sandbox(retail, "retail", page_size=2)
    question = f"/v1/orders?ordered_from={YEAR}&ordered_to={date(2026, 11, 1)}&limit=2"
    async with sandbox.http:
        following = (await sandbox.get(everybody()[0], question)).json()["next"]
        assert (await sandbox.get(everybody()[0], following)).status_code == 200
        assert (await sandbox.get(everybody()[1], following)).status_code == 400
