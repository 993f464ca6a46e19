"""Connector specs: strict to write, honest to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.contract import Budget, Outcome, Reason
from connectors.errors import SpecError
from connectors.http import open_client
from connectors.registry import Entry, connect, declared, sectors
from connectors.runtime import Pulled, Runtime
from connectors.spec import load
from tests.unit.connectors.holders import request, serve

GOOD = """
standard: test/1
sector: leisure
lists:
  shops: {get: /shops, items: shops, only: {open: true}}
datasets:
  leisure.visits:
    {for_each: shops, get: "/shops/{id}/visits", items: data.rows, key: [id], page: {cursor: after}}
  leisure.plain: {get: /plain, items: rows, key: [id], page: {link: links.next}, version: changed}
  leisure.header: {get: /header, items: rows, key: [id], page: {header: true}}
  leisure.dated: {get: /dated, items: rows, key: [id], at: {field: at, format: "%Y-%m-%d"}, count: n}
"""


def _pairs(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("standard: test/1", "standrad: test/1"), "standrad"),
        (("items: data.rows", "rows: data.rows"), "leisure.visits"),
        (("leisure.plain:", "retail.plain:"), "datasets.retail.plain: must start with leisure."),
        (("for_each: shops", "for_each: shop"), "there is no list shop"),
        (("get: /plain", "get: /plain, post: /plain"), "exactly one of get and post"),
        (("get: /plain, ", ""), "exactly one of get and post"),
        (("page: {link: links.next}", "page: {link: a, header: true}"), "exactly one of cursor"),
        (("get: /header", "post: /header"), "a POST is paged by cursor"),
        (("key: [id], at", "key: [], at"), "leisure.dated.key"),
        (("key: [id], at", "key: [$ordinal, id], at"), "leisure.dated.key"),
        (("get: /dated", "get: dated"), "leisure.dated"),
        (("get: /dated", "get: https://evil.example/"), "leisure.dated"),
        (("get: /dated", "get: '/dated/{id}'"), "needs for_each"),
        (("get: /dated", "get: /dated, send: {a: $nothing}"), "there is no $nothing"),
        (("get: /dated", "get: /dated, send: {a: $each.id}"), "needs for_each"),
        (("get: /dated", "get: /dated, send: {a: $org|%Y}"), "takes no format"),
        (('"%Y-%m-%d"}', '"%Y-%m-%d", zone: KST}'), "zone"),
        (("sector: leisure", "sector: leisure\nheaders: {Authorization: x}"), "the runtime's own"),
        (("sector: leisure", "sector: leisure\necho: [x-id]"), "not among the headers"),
        (("sector: leisure", "sector: [leisure"), "not YAML"),
        (("sector: leisure", "sector: leisure\nenvelope: {code: c, ok: ['0'], reasons: {'1': odd}}"), "odd"),
    ],
)
def test_a_mistake_in_a_spec_is_named_with_its_place(change: tuple[str, str], place: str) -> None:
    """Nothing is guessed, nothing unknown is ignored."""
    with pytest.raises(SpecError) as caught:
        load(_pairs(GOOD, change))
    assert place in str(caught.value)


def test_a_good_spec_and_all_of_ours_load() -> None:
    """The example above, and every sector the product ships."""
    assert set(load(GOOD).datasets) == {"leisure.visits", "leisure.plain", "leisure.header", "leisure.dated"}
    for sector in sectors():
        holder = connect(
            Entry("some-holder", sector, {"ko": "x", "en": "x"}, "https://holder.example", "ORG")
        )
        assert all(dataset.id.startswith(f"{sector}.") for dataset in holder.manifest.datasets)


def test_the_example_of_the_documents_is_a_spec() -> None:
    """docs/connectors.md shows something that loads."""
    text = (Path(__file__).parents[3] / "docs" / "connectors.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    assert list(load(example).datasets) == ["leisure.visits"]


@pytest.mark.parametrize(
    "origin",
    ["https://h.example/", "https://h.example/api", "h.example", "ftp://h.example", "https://u@h.example"],
)
def test_a_registry_entry_names_an_origin_only(origin: str) -> None:
    """Scheme, host and port: anything more is a mistake."""
    with pytest.raises(SpecError):
        connect(Entry("h", "finance", {}, origin, "ORG"))


def test_a_sector_without_connector_is_named() -> None:
    """Asking for one is a clear error."""
    with pytest.raises(SpecError, match="transport"):
        connect(Entry("h", "transport", {}, "https://h.example", "ORG"))


async def _pull(dataset: str, answers: Mapping[str, Any], **window: date) -> tuple[Pulled, list[str]]:
    """Serve fixed answers by path and query and pull one dataset of the example spec."""
    asked: list[str] = []

    async def answer(http: Request) -> Response:
        where = http.scope["raw_path"].decode() + (f"?{http.url.query}" if http.url.query else "")
        asked.append(where)
        found = answers[where]
        return found if isinstance(found, Response) else JSONResponse(found)

    async def token(renew: bool) -> str:
        return "t"

    app = Starlette(routes=[Route("/{path:path}", answer)])
    async with serve(lambda _: app) as origin, open_client() as client:
        entry = Entry("h", "leisure", {}, origin, "ORG", Budget(attempts=1))
        runtime = Runtime(client)
        return await runtime.collect(declared(entry, load(GOOD)), request(dataset, **window), token), asked


async def test_a_cursor_walk_per_row_of_a_list() -> None:
    """Open shops only, their ids quoted into the path, pages until the cursor is gone."""
    pulled, asked = await _pull(
        "leisure.visits",
        {
            "/shops": {"shops": [{"id": "a/b", "open": True}, {"id": "c", "open": False}]},
            "/shops/a%2Fb/visits": {"data": {"rows": [{"id": 1}]}, "after": "x=1&y"},
            "/shops/a%2Fb/visits?after=x%3D1%26y": {"data": {"rows": [{"id": 2}]}, "after": None},
        },
    )
    assert [json.loads(record.body)["id"] for record in pulled.records] == [1, 2]
    assert pulled.outcome is Outcome.COMPLETE
    assert len(asked) == 3


async def test_a_row_seen_on_two_pages_is_one_record() -> None:
    """Links in the body; the newer version wins."""
    pulled, _ = await _pull(
        "leisure.plain",
        {
            "/plain": {"rows": [{"id": 1, "changed": "2"}, {"id": 2}], "links": {"next": "/plain?p=2"}},
            "/plain?p=2": {"rows": [{"id": 1, "changed": "1"}, {"id": 3}], "links": {}},
        },
    )
    assert [json.loads(record.body) for record in pulled.records] == [
        {"id": 1, "changed": "2"},
        {"id": 2},
        {"id": 3},
    ]


async def test_the_link_header_leads_on() -> None:
    """RFC 8288 paging."""
    first = JSONResponse({"rows": [{"id": 1}]}, headers={"link": '</header?p=2>; rel="next"'})
    pulled, _ = await _pull("leisure.header", {"/header": first, "/header?p=2": {"rows": [{"id": 2}]}})
    assert len(pulled.records) == 2


@pytest.mark.parametrize(
    ("following", "reason"),
    [
        ("/plain", Reason.CORRUPT),
        ("http://169.254.169.254/", Reason.FOREIGN_NEXT),
        ("null/plain?p=2", Reason.CONTRACT),
        (17, Reason.CORRUPT),
    ],
)
async def test_a_next_link_that_leads_nowhere_good(following: Any, reason: Reason) -> None:
    """Self, foreign, nonsense, no text: the first page is dropped or kept, never followed wrongly."""
    answers = {
        "/plain": {"rows": [{"id": 1}], "links": {"next": following}},
        "/null/plain?p=2": Response("no", 400),
    }
    pulled, asked = await _pull("leisure.plain", answers)
    assert pulled.gaps[0].reason is reason
    assert asked in (["/plain"], ["/plain", "/null/plain?p=2"])


async def test_a_circle_of_pages_is_left() -> None:
    """A to B to A: B's rows are not sealed, nothing is read twice."""
    answers = {
        "/plain": {"rows": [{"id": 1}], "links": {"next": "/plain?p=2"}},
        "/plain?p=2": {"rows": [{"id": 2}], "links": {"next": "/plain?p=3"}},
        "/plain?p=3": {"rows": [{"id": 3}], "links": {"next": "/plain?p=2"}},
    }
    pulled, asked = await _pull("leisure.plain", answers)
    assert (pulled.outcome, pulled.gaps[0].reason, len(asked)) == (Outcome.PARTIAL, Reason.CORRUPT, 3)


@pytest.mark.parametrize(
    "body",
    [
        {"rows": [{"id": 1, "at": "2026-05-01"}], "n": 2},
        {"rows": [{"id": 1, "at": "2026-05-01"}]},
        {"n": 1},
        {"rows": {}, "n": 0},
        {"rows": [7], "n": 1},
        {"rows": [{"at": "2026-05-01"}], "n": 1},
        {"rows": [{"id": {}, "at": "2026-05-01"}], "n": 1},
        {"rows": [{"id": 1, "at": "01.05.2026"}], "n": 1},
        {"rows": [{"id": 1}], "n": 1},
        {"rows": [], "n": True},
        [],
        "x",
    ],
)
async def test_a_page_that_is_not_what_it_should_be_is_corrupt(body: Any) -> None:
    """Counts that differ, rows that are no rows, keys and times that are missing: nothing of it is kept."""
    pulled, _ = await _pull("leisure.dated", {"/dated": body})
    assert (pulled.outcome, pulled.records, pulled.gaps[0].reason) == (Outcome.FAILED, (), Reason.CORRUPT)


async def test_a_page_without_rows_may_leave_the_list_out() -> None:
    """Count 0 is empty."""
    pulled, _ = await _pull("leisure.dated", {"/dated": {"n": 0}})
    assert pulled.outcome is Outcome.EMPTY


async def test_what_was_not_asked_for_is_not_taken() -> None:
    """A holder that ignores the window does not widen it."""
    rows = [{"id": n, "at": f"2026-05-0{n}"} for n in range(1, 6)]
    window = {"since": date(2026, 5, 2), "until": date(2026, 5, 4)}
    pulled, _ = await _pull("leisure.dated", {"/dated": {"rows": rows, "n": 5}}, **window)
    assert [json.loads(record.body)["id"] for record in pulled.records] == [2, 3, 4]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"rows":[{"id":1,"at":"2026-05-01","x":"\xff"}],"n":1}',
        b'{"rows":[{"id":1,"at":"2026-05-01","x":NaN}],"n":1}',
        b'{"rows":[{"id":1,"at":"2026-05-01"}],"n":1}trailing',
        b'\xef\xbb\xbf{"rows":[],"n":0}',
        b'{"rows":' + b"[" * 100_000 + b"]" * 100_000 + b',"n":1}',
        b"<html>",
        b"",
    ],
)
async def test_bytes_that_are_no_json_are_corrupt(raw: bytes) -> None:
    """Wrong UTF-8, NaN, trailing bytes, a byte order mark, endless nesting, HTML, nothing."""
    answer = Response(raw, 200, media_type="application/json")
    pulled, _ = await _pull("leisure.dated", {"/dated": answer})
    assert (pulled.outcome, pulled.gaps[0].reason) == (Outcome.FAILED, Reason.CORRUPT)
