"""However a holder cuts its records into pages, repeats included, a pull gives the same records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Record
from tests.unit.connectors import test_espi, test_fhir, test_retail
from tests.unit.connectors.scripted import ORIGIN, ScriptedIo, pulled, sealed

SPAN = {"since": date(2026, 11, 1), "until": date(2026, 11, 21)}
Pages = Sequence[Sequence[int]]


@st.composite
def partitions(draw: st.DrawFn) -> tuple[int, list[list[int]]]:
    """N records in order, cut anywhere; each page may repeat some of the page before, or be empty."""
    count = draw(st.integers(0, 12))
    cuts = sorted(draw(st.lists(st.integers(0, count), max_size=4)))
    pages = [list(range(a, b)) for a, b in zip([0, *cuts], [*cuts, count], strict=True)]
    for earlier, later in pairwise(pages):
        later[:0] = earlier[len(earlier) - draw(st.integers(0, len(earlier))) :]
    return count, pages


def following(path: str, number: int, pages: Pages) -> str | None:
    """The address of the page after `number`."""
    return f"{ORIGIN}{path}?page={number + 1}" if number + 1 < len(pages) else None


def fhir(pages: Pages) -> ScriptedIo:
    """A hospital with these pages."""
    bodies = []
    for number, page in enumerate(pages):
        link = following("/fhir/Observation", number, pages)
        links = [{"relation": "next", "url": link}] if link else []
        bodies.append(test_fhir.bundle(*(test_fhir.result(f"o{n}") for n in page), link=links))
    return test_fhir.script(*bodies)


def shop(pages: Pages) -> ScriptedIo:
    """A shop with these pages."""
    return test_retail.script(
        *(
            test_retail.page(
                *(test_retail.order(f"D{n}") for n in page), next=following("/v1/orders", at, pages)
            )
            for at, page in enumerate(pages)
        )
    )


def supplier(pages: Pages) -> ScriptedIo:
    """A supplier with these pages."""
    path = "/espi/1_1/resource/Batch/Subscription/s"
    context = (test_espi.POINT, test_espi.METER, test_espi.kind())
    bodies = []
    for number, page in enumerate(pages):
        blocks = [
            test_espi.block(test_espi.reading(test_espi.START + 3600 * n), own=f"/p/1/m/1/b/{n}")
            for n in page
        ]
        bodies.append(test_espi.feed(*context, *blocks, following=following(path, number, pages) or ""))
    return test_espi.script(*bodies)


SECTORS = {
    "medical": ("medical.observations", fhir),
    "retail": ("retail.orders", shop),
    "energy": ("energy.electricity-usage", supplier),
}


@pytest.mark.parametrize("sector", list(SECTORS))
@settings(max_examples=40, deadline=None)
@given(partitions())
async def test_any_partition_gives_the_same_records(sector: str, cut: tuple[int, list[list[int]]]) -> None:
    """The set of keys is that of the whole, every page is sealed, no record is invented."""
    count, pages = cut
    dataset, holder = SECTORS[sector]
    events = await pulled(sector, dataset, holder(pages), **SPAN)
    records = {event.key: event.body for event in events if isinstance(event, Record)}
    assert len(records) == count
    assert all(isinstance(json.loads(body), dict) for body in records.values())
    assert sealed(events)
