"""The bank's connector against the sandbox bank: everything consented, page by page, nothing else."""

from __future__ import annotations

import json
from datetime import date

from connectors.contract import Outcome
from tests.unit.connectors.holders import bench

TRANSACTIONS = "finance.deposit-transactions"


async def test_every_line_of_every_chosen_account_arrives_over_several_pages() -> None:
    """25 lines over pages of 7 arrive once each, each with its account number."""
    async with bench() as holder:
        pulled = await holder.pull(TRANSACTIONS)
    assert pulled.outcome is Outcome.COMPLETE
    assert pulled.gaps == ()
    assert pulled.pages == 5
    bodies = [json.loads(record.body) for record in pulled.records]
    assert len(bodies) == 25
    assert {body["account_num"] for body in bodies} == {"110-1"}
    assert bodies[0]["trans_amt"] == 1000
    assert bodies[0]["trans_memo"] == "점심"


async def test_an_account_the_person_left_out_is_never_asked_for() -> None:
    """`is_consent` false at the bank means no request for that account."""
    async with bench() as holder:
        pulled = await holder.pull(TRANSACTIONS)
    assert not any(b"110-2" in record.body for record in pulled.records)
    assert pulled.requests == 1 + 4 + 1


async def test_a_customer_with_nothing_is_empty_not_failed() -> None:
    """No account at all is an empty, whole answer."""
    async with bench() as holder:
        pulled = await holder.pull(TRANSACTIONS, "ci-park")
    assert (pulled.outcome, pulled.gaps, pulled.records) == (Outcome.EMPTY, (), ())


async def test_nothing_outside_the_window_is_kept() -> None:
    """Bounds are inclusive civil dates in Korea."""
    window = {"since": date(2026, 5, 2), "until": date(2026, 5, 3)}
    async with bench() as holder:
        pulled = await holder.pull(TRANSACTIONS, window=window)
    days = {json.loads(record.body)["trans_dtime"][:8] for record in pulled.records}
    assert days == {"20260502", "20260503"}
    assert pulled.records[0].at is not None
    assert pulled.records[0].at.isoformat() == "2026-05-02T12:00:00+09:00"


async def test_two_people_at_once_never_mix() -> None:
    """Pulls of two people through one client give each their own."""
    async with bench() as holder:
        kim = await holder.pull(TRANSACTIONS, "ci-kim")
        token = await holder.token("ci-lee", holder.terms("c-2"))
        lee = await holder.pull(TRANSACTIONS, token=token)
    assert all(b'"220-1"' in record.body for record in lee.records)
    assert not {record.key for record in kim.records} & {record.key for record in lee.records}
