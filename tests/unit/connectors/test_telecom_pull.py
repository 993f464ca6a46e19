"""The telephone company's connector against the sandbox company."""

from __future__ import annotations

import json
from datetime import date

from connectors.contract import Outcome, Reason
from connectors.sandbox import telecom
from tests.unit.connectors.holders import bench


async def test_bills_come_month_by_month_for_chosen_contracts_only() -> None:
    """The bill of a contract the person left out is dropped, the month is on every record."""
    async with bench(telecom, holder_id="nuri-telecom") as holder:
        pulled = await holder.pull("telecom.bills")
    bodies = [json.loads(record.body) for record in pulled.records]
    assert pulled.outcome is Outcome.COMPLETE
    assert [body["charge_month"] for body in bodies] == [f"2026{m:02d}" for m in range(4, 10)]
    assert {body["mgmt_id"] for body in bodies} == {"M-1"}
    assert pulled.requests == 1 + 11


async def test_equal_payments_are_two_payments() -> None:
    """The standard has no payment id: two equal rows on one day stay two."""
    async with bench(telecom, holder_id="nuri-telecom", page_size=2) as holder:
        pulled = await holder.pull("telecom.paid-transactions")
    bodies = [json.loads(record.body) for record in pulled.records]
    assert [(body["trans_date"], body["trans_amt"]) for body in bodies] == [
        ("20260510", 5000),
        ("20260510", 5000),
        ("20260511", -5000),
    ]
    assert pulled.pages == 2


async def test_a_token_for_bills_opens_no_payments() -> None:
    """A dataset the token does not name is refused by the holder."""
    async with bench(telecom, holder_id="nuri-telecom") as holder:
        token = await holder.token("ci-kim", holder.terms(datasets=("telecom.bills",)))
        assert (await holder.pull("telecom.bills", token=token)).outcome is Outcome.COMPLETE
        pulled = await holder.pull("telecom.paid-transactions", token=token)
    assert (pulled.outcome, pulled.gaps[0].reason) == (Outcome.REFUSED, Reason.DENIED)


async def test_a_window_of_one_month_asks_for_one_month() -> None:
    """Months outside the window are not asked for."""
    window = {"since": date(2026, 5, 1), "until": date(2026, 6, 30)}
    async with bench(telecom, holder_id="nuri-telecom") as holder:
        pulled = await holder.pull("telecom.bills", window=window)
    assert pulled.requests == 1 + 2
    assert [json.loads(record.body)["charge_month"] for record in pulled.records] == ["202605"]
