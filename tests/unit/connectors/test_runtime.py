"""The runtime's laws on connectors made for the test: sealing, keys, progress, honesty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import (
    Checkpoint,
    Dataset,
    Event,
    Gap,
    Io,
    Manifest,
    Outcome,
    PullRequest,
    Reason,
    Record,
    Tombstone,
)
from connectors.errors import HolderError
from connectors.http import NetworkInTransaction
from connectors.runtime import Pulled, Runtime
from tests.unit.connectors.holders import request

DATASET = "finance.deposit-transactions"


class Scripted:
    """A connector that yields a script; an exception in it is raised there."""

    def __init__(self, script: list[Any]) -> None:
        self.script = script
        self.closed = False
        datasets = [Dataset(DATASET, "test")]
        self.manifest = Manifest(
            "h", "finance", {"ko": "h", "en": "h"}, "http://127.0.0.1:1", "ORG", datasets
        )

    async def pull(self, request: PullRequest, io: Io) -> AsyncIterator[Event]:
        """Play the script."""
        try:
            for step in self.script:
                if isinstance(step, BaseException):
                    raise step
                yield step
        finally:
            self.closed = True


async def _no_token(renew: bool) -> str:
    raise HolderError(Reason.DENIED)


async def _run(script: list[Any], cancelled: Callable[[], bool] = lambda: False) -> Pulled:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(500))) as client:
        return await Runtime(client).collect(
            Scripted(script), request(DATASET), _no_token, cancelled=cancelled
        )


def rec(key: str, body: bytes = b"{}", version: str | None = None) -> Record:
    """A record."""
    return Record(key, body, version=version)


async def test_unsealed_records_are_dropped_and_named() -> None:
    """Records after the last checkpoint are not kept; ending so is the connector's fault."""
    pulled = await _run([rec("a"), Checkpoint(1), rec("b")])
    assert [record.key for record in pulled.records] == ["a"]
    assert (pulled.outcome, pulled.gaps[0].reason) == (Outcome.PARTIAL, Reason.CONTRACT)


async def test_a_failure_keeps_what_was_sealed() -> None:
    """The page that was being read is lost, the ones before are not."""
    pulled = await _run([rec("a"), Checkpoint(1), rec("b"), HolderError(Reason.HOLDER_DOWN, "gone")])
    assert [record.key for record in pulled.records] == ["a"]
    assert pulled.gaps == (Gap(DATASET, Reason.HOLDER_DOWN, "gone"),)


async def test_a_cursor_that_comes_twice_is_corrupt_and_seals_nothing() -> None:
    """The progress law: the records before the repeated cursor are dropped."""
    pulled = await _run(
        [rec("a"), Checkpoint({"n": 1}), rec("b"), Checkpoint({"n": 1}), rec("c"), Checkpoint(3)]
    )
    assert [record.key for record in pulled.records] == ["a"]
    assert pulled.gaps[0].reason is Reason.CORRUPT


async def test_the_newest_version_of_a_record_is_kept() -> None:
    """By version if there is one, else by arrival."""
    pulled = await _run(
        [
            rec("a", b'{"v":2}', "2026-02"),
            rec("a", b'{"v":1}', "2026-01"),
            rec("b", b'{"v":1}'),
            rec("b", b'{"v":2}'),
            Checkpoint(1),
        ]
    )
    assert [record.body for record in pulled.records] == [b'{"v":2}', b'{"v":2}']


async def test_a_tombstone_takes_its_record_away() -> None:
    """An explicit deletion, sealed like a record."""
    pulled = await _run([rec("a"), rec("b"), Checkpoint(1), Tombstone("a"), Checkpoint(2), Tombstone("b")])
    assert [record.key for record in pulled.records] == ["b"]


async def test_fewer_than_announced_is_a_gap() -> None:
    """A holder that said three and sent two is not complete."""
    pulled = await _run([rec("a"), rec("b"), Checkpoint(1, total=3)])
    assert (pulled.outcome, pulled.total, pulled.gaps[0].reason) == (Outcome.PARTIAL, 3, Reason.CORRUPT)


async def test_a_gap_the_connector_names_is_kept() -> None:
    """A connector may say itself what is missing."""
    gap = Gap(DATASET, Reason.CURSOR_EXPIRED, "history ends in March")
    pulled = await _run([gap, rec("a"), Checkpoint(1)])
    assert (pulled.outcome, pulled.gaps) == (Outcome.PARTIAL, (gap,))


@pytest.mark.parametrize("reason", [Reason.DENIED, Reason.REVOKED, Reason.NO_LINK, Reason.UNKNOWN_DATASET])
async def test_a_refusal_with_nothing_is_refused(reason: Reason) -> None:
    """The holder decided: refused, not failed."""
    assert (await _run([HolderError(reason)])).outcome is Outcome.REFUSED


async def test_a_connectors_own_fault_is_a_gap_without_its_words() -> None:
    """An exception's text may hold data: only its type is kept."""
    pulled = await _run([rec("a"), Checkpoint(1), ValueError("주민번호 900101-1234567")])
    assert (pulled.outcome, pulled.gaps[0].reason) == (Outcome.PARTIAL, Reason.CONTRACT)
    assert "900101" not in repr(pulled.gaps)


async def test_a_network_call_inside_a_transaction_is_our_fault_and_raises() -> None:
    """It is never turned into a gap."""
    with pytest.raises(NetworkInTransaction):
        await _run([NetworkInTransaction("no")])


async def test_called_off_after_a_checkpoint() -> None:
    """Cancellation is looked at between pages."""
    answers = iter([False, True])
    pulled = await _run(
        [rec("a"), Checkpoint(1), rec("b"), Checkpoint(2), rec("c"), Checkpoint(3)], lambda: next(answers)
    )
    assert [record.key for record in pulled.records] == ["a", "b"]
    assert pulled.gaps[0].reason is Reason.CANCELLED


async def test_the_connector_is_closed_whatever_happens() -> None:
    """Its generator is finished before the pull ends."""
    async with httpx.AsyncClient() as client:
        holder = Scripted([rec("a"), Checkpoint(1), rec("b"), Checkpoint(1), rec("c")])
        await Runtime(client).collect(holder, request(DATASET), _no_token)
        assert holder.closed


async def test_a_dataset_nobody_offers_is_refused_without_asking() -> None:
    """The connector is not even started."""
    async with httpx.AsyncClient() as client:
        holder = Scripted([AssertionError("never")])
        pulled = await Runtime(client).collect(holder, request("finance.other"), _no_token)
    assert (pulled.outcome, pulled.gaps[0].reason) == (Outcome.REFUSED, Reason.UNKNOWN_DATASET)


@given(
    keys=st.lists(st.integers(0, 30), max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=8),
    again=st.lists(st.integers(0, 39), max_size=10),
)
async def test_any_partition_into_pages_gives_the_same_set(
    keys: list[int], cuts: list[int], again: list[int]
) -> None:
    """The paging law: pages of any size, records repeated anywhere later, the same records."""
    rows = [rec(f"k{key}", b'{"n":%d}' % key) for key in keys]
    rows += [rows[index] for index in again if index < len(rows)]
    script: list[Any] = []
    for index, row in enumerate(rows):
        script.append(row)
        if index in cuts:
            script.append(Checkpoint(index))
    script.append(Checkpoint("end"))
    pulled = await _run(script)
    assert {(record.key, record.body) for record in pulled.records} == {
        (f"k{key}", b'{"n":%d}' % key) for key in keys
    }
    assert len(pulled.records) == len(set(keys))
    assert pulled.outcome is (Outcome.COMPLETE if keys else Outcome.EMPTY)
