"""Holders that misbehave: every fault heals within the budget or leaves an explicit gap."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from connectors.contract import Budget, Outcome, Reason
from connectors.sandbox.faults import Fault
from tests.unit.connectors.holders import Bench, bench, reach

DATASET = "finance.deposit-transactions"
LINES = "/v1/bank/accounts/deposit"
QUICK = Budget(seconds=5.0, page_bytes=4 * 1024 * 1024)

FINAL = {
    Fault.DOWN: Reason.HOLDER_DOWN,
    Fault.THROTTLED: Reason.THROTTLED,
    Fault.UNAVAILABLE: Reason.HOLDER_DOWN,
    Fault.REDIRECT: Reason.FOREIGN_NEXT,
    Fault.MALFORMED: Reason.CORRUPT,
    Fault.TRUNCATED: Reason.CORRUPT,
    Fault.CUT: Reason.HOLDER_DOWN,
    Fault.EMPTY: Reason.CORRUPT,
    Fault.HTML: Reason.CORRUPT,
    Fault.HUGE: Reason.TOO_LARGE,
    Fault.SELF_NEXT: Reason.CORRUPT,
    Fault.OVER_QUOTA: Reason.THROTTLED,
    Fault.ANOTHERS_ANSWER: Reason.CORRUPT,
}
HEALING = {
    Fault.DOWN,
    Fault.THROTTLED,
    Fault.UNAVAILABLE,
    Fault.MALFORMED,
    Fault.TRUNCATED,
    Fault.CUT,
    Fault.EMPTY,
    Fault.HTML,
    Fault.OVER_QUOTA,
}


@pytest.mark.parametrize("fault", sorted(FINAL))
async def test_a_fault_that_stays_is_a_gap_and_sealed_pages_are_kept(fault: Fault) -> None:
    """From the third page of lines on the holder is spoiled: two pages arrive, the gap says why."""
    async with bench(budget=QUICK) as holder:
        holder.faults.add(fault, path=LINES, after=2)
        pulled = await holder.pull(DATASET)
    assert pulled.outcome is Outcome.PARTIAL
    assert [gap.reason for gap in pulled.gaps] == [FINAL[fault]]
    assert pulled.gaps[0].dataset == DATASET
    assert len(pulled.records) == 14
    assert pulled.pages == 2


@pytest.mark.parametrize("fault", sorted(FINAL))
async def test_a_fault_from_the_start_fails_whole_and_says_so(fault: Fault) -> None:
    """Nothing arrives: failed, with the same reason (a made-up cursor is refused by the holder itself)."""
    async with bench(budget=QUICK) as holder:
        holder.faults.add(fault, path="/v1/")
        pulled = await holder.pull(DATASET)
    assert (pulled.outcome, pulled.records) == (Outcome.FAILED, ())
    expected = Reason.CONTRACT if fault is Fault.SELF_NEXT else FINAL[fault]
    assert [gap.reason for gap in pulled.gaps] == [expected]


@pytest.mark.parametrize("fault", sorted(HEALING))
async def test_a_fault_that_heals_loses_nothing(fault: Fault) -> None:
    """Two bad answers in the middle: every record arrives, with two more requests."""
    async with bench(budget=QUICK) as holder:
        holder.faults.add(fault, path=LINES, after=1, times=2)
        pulled = await holder.pull(DATASET)
    assert (pulled.outcome, len(pulled.records), pulled.gaps) == (Outcome.COMPLETE, 25, ())
    assert pulled.requests == 6 + 2
    assert len(holder.waits) == 2


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.THROTTLED, Fault.HTML, Fault.TRUNCATED])
async def test_the_token_door_may_fail_too(fault: Fault) -> None:
    """A spoiled token endpoint heals or is a gap like any other."""
    async with bench(budget=QUICK) as holder:
        held = await holder.token("ci-kim")
        holder.faults.add(fault, path="/oauth", times=2)
        pulled = await holder.pull(DATASET, token=held)
        assert pulled.outcome is Outcome.COMPLETE
    async with bench(budget=QUICK) as holder:
        held = await holder.token("ci-kim")
        holder.faults.add(fault, path="/oauth")
        pulled = await holder.pull(DATASET, token=held)
        assert (pulled.outcome, pulled.gaps[0].reason) == (Outcome.FAILED, FINAL[fault])


@pytest.mark.parametrize("fault", [Fault.FOREIGN_NEXT, Fault.SELF_NEXT])
async def test_a_strange_next_is_never_followed(fault: Fault) -> None:
    """The spoiled page leads nowhere: no request goes out that the holder did not see, and none twice."""
    async with bench(budget=QUICK) as holder:
        holder.faults.add(fault, path=LINES, times=None)
        pulled = await holder.pull(DATASET)
        assert pulled.outcome in (Outcome.PARTIAL, Outcome.FAILED)
        assert pulled.gaps
        assert pulled.requests == len([path for path in holder.faults.requests if path.startswith("/v1")])


async def _throttled(holder: Bench, retry_after: str) -> Any:
    holder.faults.add(Fault.THROTTLED, path=LINES, times=1, retry_after=retry_after)
    return await holder.pull(DATASET)


async def test_retry_after_in_seconds_is_kept() -> None:
    """The holder asked for two seconds: at least two are waited."""
    async with bench() as holder:
        assert (await _throttled(holder, "2")).outcome is Outcome.COMPLETE
        assert holder.waits == [2.0]


async def test_retry_after_as_a_date_is_kept() -> None:
    """The date form counts from now."""
    async with bench() as holder:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=4), usegmt=True)
        assert (await _throttled(holder, date)).outcome is Outcome.COMPLETE
        assert 2.0 <= holder.waits[0] <= 4.0


async def test_a_wait_longer_than_the_pull_is_given_up_at_once() -> None:
    """Retry-After of an hour is a gap with that moment, without waiting."""
    async with bench() as holder:
        pulled = await _throttled(holder, "3600")
        assert holder.waits == []
    assert (pulled.outcome, pulled.gaps[0].reason) == (Outcome.FAILED, Reason.THROTTLED)
    after = pulled.gaps[0].retry_after
    assert after is not None
    assert 3500 < (after - pulled.ended).total_seconds() <= 3600


@pytest.mark.parametrize("nonsense", ["soon", "-5", "1e9", "", "２"])
async def test_an_unreadable_retry_after_means_our_own_pause(nonsense: str) -> None:
    """Full jitter of the first attempt: half of 0.2 s with the test's dice."""
    async with bench() as holder:
        value = nonsense.encode("utf-8").decode("latin-1")
        assert (await _throttled(holder, value)).outcome is Outcome.COMPLETE
        assert holder.waits == [0.1]


async def test_a_slow_holder_is_a_timeout() -> None:
    """The pull's own time is the limit, whatever the holder does."""
    async with bench(budget=Budget(seconds=0.6)) as holder:
        holder.faults.add(Fault.SLOW, path=LINES, after=1, seconds=3)
        pulled = await holder.pull(DATASET)
    assert (pulled.outcome, pulled.gaps[0].reason) == (Outcome.PARTIAL, Reason.TIMEOUT)
    assert len(pulled.records) == 7
    assert (pulled.ended - pulled.started).total_seconds() < 2


async def test_the_request_budget_is_never_exceeded() -> None:
    """Three requests allowed, three made, the rest a gap."""
    async with bench(budget=Budget(requests=3)) as holder:
        pulled = await holder.pull(DATASET)
        assert len([path for path in holder.faults.requests if path.startswith("/v1")]) == 3
    assert (pulled.requests, pulled.gaps[0].reason, len(pulled.records)) == (3, Reason.BUDGET, 14)


async def test_the_byte_budget_of_a_pull_is_kept() -> None:
    """Pages are counted together: the one that would go over is refused."""
    async with bench(budget=Budget(total_bytes=4000)) as holder:
        pulled = await holder.pull(DATASET)
    assert pulled.received <= 4000
    assert (pulled.outcome, pulled.gaps[0].reason) == (Outcome.PARTIAL, Reason.TOO_LARGE)


async def test_a_pull_called_off_stops_before_the_next_request() -> None:
    """After the second page of lines nothing more is asked."""
    async with bench() as holder:
        requests = holder.faults.requests
        pulled = await holder.pull(DATASET, cancelled=lambda: len(requests) >= 5)
        assert len(requests) == 5
    assert pulled.gaps[0].reason is Reason.CANCELLED
    assert pulled.outcome is Outcome.PARTIAL


async def test_a_holder_that_stays_down_is_left_in_peace() -> None:
    """After repeated failures the breaker answers at once, without a request."""
    async with bench(budget=QUICK) as holder:
        held = await holder.token("ci-kim")
        await held(False)
        holder.faults.add(Fault.DOWN)
        for _ in range(2):
            await holder.pull(DATASET, token=held)
        seen = len(holder.faults.requests)
        pulled = await holder.pull(DATASET, token=held)
        assert len(holder.faults.requests) == seen
    assert (pulled.requests, pulled.gaps[0].reason) == (0, Reason.HOLDER_DOWN)
    assert pulled.gaps[0].retry_after is not None


async def test_a_holder_that_came_back_is_asked_again() -> None:
    """After the rest one request is let through; when it succeeds everything is."""
    shift = [0.0]
    async with bench(budget=QUICK) as holder:
        waits: list[float] = []
        clock = {"monotonic": lambda: time.monotonic() + shift[0]}
        holder.runtime = reach(holder.holder, holder.gateway.client, waits, **clock)
        held = await holder.token("ci-kim")
        await held(False)
        holder.faults.add(Fault.DOWN)
        for _ in range(3):
            await holder.pull(DATASET, token=held)
        holder.faults.clear()
        assert (await holder.pull(DATASET, token=held)).requests == 0
        shift[0] = 31
        assert (await holder.pull(DATASET, token=held)).outcome is Outcome.COMPLETE


async def test_one_dead_holder_takes_nobody_down() -> None:
    """Beside a dead holder another one is pulled whole."""
    async with bench(budget=QUICK) as dead, bench() as well:
        dead.faults.add(Fault.DOWN, path="/v1")
        assert (await dead.pull(DATASET)).outcome is Outcome.FAILED
        assert (await well.pull(DATASET)).outcome is Outcome.COMPLETE
