"""Every sector's connector under every fault: a gap or the whole truth, never a wrong record."""

from __future__ import annotations

from datetime import date
from importlib import import_module

import pytest

from connectors.contract import Budget, Outcome, Reason, Record
from connectors.registry import sectors
from connectors.sandbox.faults import Fault
from connectors.sandbox.people import people as generate
from tests.unit.connectors.holders import bench, reach

WINDOW = {"since": date(2025, 11, 22), "until": date(2026, 11, 21)}
QUICK = Budget(seconds=8.0, page_bytes=4 * 1024 * 1024)
SPOILING = sorted(set(Fault) - {Fault.SLOW, Fault.ANOTHERS_ANSWER, Fault.OVER_QUOTA})
NEXT = {Fault.FOREIGN_NEXT, Fault.SELF_NEXT}
UNPAGED = {"telecom.bills", "telecom.contracts"}
LINKED = {"energy.electricity-usage", "medical.observations"}
"""Datasets whose next page is an address; elsewhere it is opaque and a foreign one is just a wrong cursor."""
DATASETS = [
    (sector, dataset)
    for sector in sorted(sectors())
    for dataset in import_module(f"connectors.sandbox.{sector}").DATASETS
]


@pytest.mark.parametrize(("sector", "dataset"), DATASETS)
async def test_a_spoiled_holder_never_gives_a_wrong_record(sector: str, dataset: str) -> None:
    """Clean first; then, fault by fault, spoiled from the second request (or the only one) on."""
    module = import_module(f"connectors.sandbox.{sector}")
    crowd = generate(7, 1, today=date(2026, 11, 22))
    page_size = 60 if sector in ("finance", "energy") else 2
    async with bench(module, holder_id="h", crowd=crowd, page_size=page_size, budget=QUICK) as holder:
        token = await holder.token(crowd[0].id)
        await token(False)
        clean = await holder.pull(dataset, token=token, window=WINDOW)
        assert (clean.outcome, clean.gaps) == (Outcome.COMPLETE, ())
        spoiled_from = min(1, clean.requests - 1)
        for fault in SPOILING:
            if dataset in UNPAGED and fault in NEXT:
                continue
            holder.runtime = reach(holder.holder, holder.gateway.client, [])
            holder.faults.clear()
            holder.faults.requests.clear()
            holder.faults.add(fault, after=spoiled_from)
            pulled = await holder.pull(dataset, token=token, window=WINDOW)
            assert len(holder.faults.requests) == pulled.requests
            assert pulled.outcome in (Outcome.PARTIAL, Outcome.FAILED), fault
            assert pulled.gaps, fault
            assert _set(pulled.records) < _set(clean.records), fault
            if fault is Fault.FOREIGN_NEXT and dataset in LINKED:
                assert pulled.gaps[0].reason is Reason.FOREIGN_NEXT


def _set(records: tuple[Record, ...]) -> set[tuple[str, bytes]]:
    return {(record.key, record.body) for record in records}
