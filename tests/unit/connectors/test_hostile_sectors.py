"""Misbehaving energy, retail and medical holders: an explicit gap, and what was sealed is kept."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from connectors.contract import Outcome, Reason
from connectors.runtime import Runtime
from connectors.sandbox import energy, medical, retail
from connectors.sandbox.faults import Fault, Faults, FaultyDoor
from tests.unit.connectors.sandboxes import NOW, TODAY, Sandbox, everybody

DOORS = {
    "energy": (energy, "/espi/1_1/resource/Batch"),
    "retail": (retail, "/v1/orders"),
    "medical": (medical, "/fhir/Observation"),
}
SINCE = TODAY - timedelta(days=150)


async def _no_sleep(_seconds: float) -> None:
    return None


class Hostile(Sandbox):
    """A sandbox whose answers pass through the faults."""

    def __init__(self, sector: str) -> None:
        super().__init__(DOORS[sector][0], sector, page_size=4)
        self.faults = Faults()
        honest = self.http._transport
        assert isinstance(honest, httpx.ASGITransport)
        door = httpx.ASGITransport(FaultyDoor(honest.app, self.faults))
        self.http = httpx.AsyncClient(transport=door)
        self.runtime = Runtime(self.http, clock=lambda: NOW, sleep=_no_sleep)


@pytest.mark.parametrize("sector", list(DOORS))
@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        (Fault.DOWN, {Reason.HOLDER_DOWN}),
        (Fault.THROTTLED, {Reason.THROTTLED}),
        (Fault.REDIRECT, {Reason.FOREIGN_NEXT}),
        (Fault.MALFORMED, {Reason.CORRUPT, Reason.CONTRACT}),
        (Fault.TRUNCATED, {Reason.CORRUPT}),
        (Fault.EMPTY, {Reason.CORRUPT}),
        (Fault.HTML, {Reason.CORRUPT, Reason.CONTRACT}),
        (Fault.HUGE, {Reason.TOO_LARGE}),
        (Fault.FOREIGN_NEXT, {Reason.FOREIGN_NEXT}),
        (Fault.SELF_NEXT, {Reason.CORRUPT}),
    ],
)
async def test_from_the_second_page_on(sector: str, fault: Fault, reasons: set[Reason]) -> None:
    """The first page arrives whole; the fault ends the pull with its reason."""
    hostile = Hostile(sector)
    async with hostile.http:
        honest = await hostile.pull(everybody()[9], SINCE)
        hostile.faults.add(fault, path=DOORS[sector][1], after=1)
        pulled = await hostile.pull(everybody()[9], SINCE)
    assert honest.outcome is Outcome.COMPLETE
    assert pulled.outcome is Outcome.PARTIAL
    assert {gap.reason for gap in pulled.gaps} <= reasons
    assert len(pulled.gaps) == 1
    kept = {record.key for record in pulled.records}
    assert kept < {record.key for record in honest.records}


@pytest.mark.parametrize("sector", list(DOORS))
@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.THROTTLED, Fault.UNAVAILABLE])
async def test_what_passes_is_retried(sector: str, fault: Fault) -> None:
    """A fault that heals within the attempts costs nothing but requests."""
    hostile = Hostile(sector)
    async with hostile.http:
        honest = await hostile.pull(everybody()[9], SINCE)
        hostile.faults.add(fault, path=DOORS[sector][1], after=1, times=2)
        pulled = await hostile.pull(everybody()[9], SINCE)
    assert pulled.outcome is Outcome.COMPLETE
    assert pulled.records == honest.records
    assert pulled.requests == honest.requests + 2
