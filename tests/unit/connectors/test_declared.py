"""A declared connector under any paging a holder may choose, on a holder in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Check, Checkpoint, Json, Page, Record
from connectors.registry import Entry, declared
from connectors.spec import load
from connectors.templates import Values
from tests.unit.connectors.holders import request

SPEC = load("""
standard: test/1
sector: leisure
headers: {x-api-tran-id: $tran}
datasets:
  leisure.visits:
    post: /visits
    send: {from: $since, tran: plain}
    items: rows
    page: {cursor: after}
    key: [id]
    add: {club: "7"}
""")


@dataclass
class Memory:
    """An `Io` over pages given in advance: page N has cursor N + 1."""

    pages: list[list[dict[str, Any]]]
    headers: list[Mapping[str, str]] = field(default_factory=list)

    async def get(self, path: str, params: Mapping[str, str] | None = None, **_: Any) -> Page:
        """This holder has no GET."""
        raise AssertionError(path)

    async def post(
        self,
        path: str,
        body: Mapping[str, Json],
        *,
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> Page:
        """Answer the page the cursor names."""
        number = int(body.get("after", 0))
        answer: dict[str, Any] = {"rows": self.pages[number]}
        if number + 1 < len(self.pages):
            answer["after"] = str(number + 1)
        self.headers.append(headers or {})
        page = Page(f"http://h{path}", json.dumps(answer, ensure_ascii=False).encode(), {})
        assert check is not None
        check(200, page)
        return page


row = st.fixed_dictionaries(
    {"id": st.integers(0, 20)},
    optional={"note": st.text(max_size=12), "nested": st.dictionaries(st.text(max_size=3), st.integers())},
)


@given(pages=st.lists(st.lists(row, max_size=6), min_size=1, max_size=6))
async def test_every_row_of_every_page_comes_out_untouched_before_its_seal(
    pages: list[list[dict[str, Any]]],
) -> None:
    """Whatever the partition: rows in order, bodies equal but for the added field, one seal a page."""
    holder = declared(Entry("h", "leisure", {}, "http://h", "ORG"), SPEC)
    memory = Memory(pages)
    events = [event async for event in holder.pull(request("leisure.visits"), memory)]
    records = [event for event in events if isinstance(event, Record)]
    assert [json.loads(record.body) for record in records] == [
        {"club": "7", **one} for page in pages for one in page
    ]
    assert [record.key for record in records] == [f"[{one['id']}]" for page in pages for one in page]
    seals = [event for event in events if isinstance(event, Checkpoint)]
    assert len(seals) == len(pages)
    assert len({json.dumps(seal.cursor) for seal in seals}) == len(pages)
    assert isinstance(events[-1], Checkpoint)


async def test_every_request_has_its_own_transaction_id() -> None:
    """25 characters, one a request, the same again for the same pull."""
    holder = declared(Entry("h", "leisure", {}, "http://h", "ORG"), SPEC)
    seen = []
    for _ in range(2):
        memory = Memory([[], [], []])
        _ = [event async for event in holder.pull(request("leisure.visits"), memory)]
        seen.append([headers["x-api-tran-id"] for headers in memory.headers])
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == 3
    assert {len(one) for one in seen[0]} == {25}


def test_a_whole_transaction_id_of_the_gateway_is_kept() -> None:
    """The first request carries the gateway's own id; the next ones keep its first eleven characters."""
    whole = "OPERATOR01M00000000000042"
    values = Values("ORG", replace(request("leisure.visits"), transaction_id=whole))
    first, second = values.fill("$tran", {}), values.fill("$tran", {})
    assert first == whole
    assert second != whole
    assert second[:11] == whole[:11]
    assert len(second) == 25
