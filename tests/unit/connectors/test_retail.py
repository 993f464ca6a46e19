"""The retail connector (a spec, no code): orders by cursor, corrected by `modified`, nothing trusted."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from connectors.contract import Reason, Record
from connectors.errors import HolderError
from tests.unit.connectors.scripted import ORIGIN, ScriptedIo, pulled, sealed

DATASET = "retail.orders"
SPAN = {"since": date(2026, 11, 1), "until": date(2026, 11, 20)}


def order(number: str = "D1", day: str = "2026-11-10", **changes: Any) -> dict[str, Any]:
    """One order."""
    made = {
        "@type": "Order",
        "orderNumber": number,
        "orderDate": f"{day}T00:00:00+09:00",
        "orderStatus": "https://schema.org/OrderProcessing",
        "modified": f"{day}T00:00:00+09:00",
    } | changes
    return {name: value for name, value in made.items() if value is not None}


def page(*orders: dict[str, Any], **changes: Any) -> bytes:
    """One page."""
    return json.dumps({"count": len(orders), "orders": list(orders)} | changes).encode()


def script(*pages: bytes) -> ScriptedIo:
    """A shop with these pages."""
    return ScriptedIo({"/v1/orders": list(pages)})


async def test_pages_and_versions() -> None:
    """Every page is followed to the end; each version carries when it was made and sorts after the last."""
    io = script(
        page(order("D1"), order("D2"), next=f"{ORIGIN}/v1/orders?cursor=x"),
        page(order("D1", modified="2026-11-12T08:00:00+09:00")),
    )
    events = await pulled("retail", DATASET, io, **SPAN)
    records = [event for event in events if isinstance(event, Record)]
    assert [json.loads(one.key) for one in records] == [["D1"], ["D2"], ["D1"]]
    assert (records[0].version or "") < (records[2].version or "")
    assert sealed(events)
    assert io.asked[0][1]["ordered_from"] == "2026-11-01"


async def test_days_are_korean() -> None:
    """Midnight of the day after the last is outside; the first midnight is inside."""
    io = script(page(order("a", "2026-11-01"), order("b", "2026-11-21"), order("c", "2026-10-31")))
    events = await pulled("retail", DATASET, io, **SPAN)
    assert [json.loads(e.key) for e in events if isinstance(e, Record)] == [["a"]]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (page(order(orderNumber=None)), Reason.CORRUPT),
        (page(order(orderDate="10 November")), Reason.CORRUPT),
        (page(order(), count=2), Reason.CORRUPT),
        (page(orders="none"), Reason.CORRUPT),
        (b"<html>maintenance</html>", Reason.CORRUPT),
        (page(order(), next="https://other.example/v1/orders"), Reason.FOREIGN_NEXT),
        (page(order(), next="//169.254.169.254/"), Reason.FOREIGN_NEXT),
        (page(order(), next="/v1/orders"), Reason.CORRUPT),
        (page(order(), next=7), Reason.CORRUPT),
    ],
)
async def test_bad_pages_are_refused(body: bytes, reason: Reason) -> None:
    """A row without number or date, a lying count, another page or another shop: each has its reason."""
    with pytest.raises(HolderError) as refused:
        await pulled("retail", DATASET, script(body), **SPAN)
    assert refused.value.reason is reason
