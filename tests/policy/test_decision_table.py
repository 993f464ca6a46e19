"""Every row of the decision table on each engine, and the same bytes from both."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.policy.bundle import default_folder
from gateway.policy.decision import Coarsen, Decision, Mask, Notify, Reason, Withheld
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.opa import OpaEngine
from tests.policy.table import Row, changed, rows

PARTLY = {"field_not_consented", "field_dropped"}
"""Reasons that keep some fields of an item back and let the rest leave."""

UNREACHABLE = {"operation_unknown"}
"""Behind the schema: reached and missed in the tests of the Rego itself (facts_test.rego)."""

SCHEMAS = default_folder() / "schemas"


def validator(name: str) -> Draft202012Validator:
    """The published schema `name`."""
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8")))


def check(row: Row, decision: Decision) -> None:
    """Compare a decision with what the row wants, down to items, fields, params and articles it names."""
    want: dict[str, Any] = row.want
    assert decision.allow is want["allow"]
    assert sorted(r.code for r in decision.codes) == sorted(want.get("codes", []))
    assert _withheld(decision) == {item: sorted(codes) for item, codes in want.get("withheld", {}).items()}
    assert sorted(g.item for g in decision.granted) == sorted(_granted(row))
    reasons: list[Reason | Withheld] = [*decision.codes, *decision.withheld]
    for code, params in want.get("params", {}).items():
        plain = [
            {k: list(v) if isinstance(v, tuple) else v for k, v in r.params.items()}
            for r in reasons
            if r.code == code
        ]
        assert params in plain
    for code, article in want.get("articles", {}).items():
        assert {r.article for r in reasons if r.code == code} == {article}
    for item, fields in want.get("fields", {}).items():
        assert [list(g.fields) for g in decision.granted if g.item == item] == [fields]
    if "obligations" in want:
        assert sorted({str(o.__struct_config__.tag) for o in decision.obligations}) == want["obligations"]
    if "notices" in want:
        assert sorted(o.about for o in decision.obligations if isinstance(o, Notify)) == want["notices"]
    if "treatments" in want:
        treated = [o for o in decision.obligations if isinstance(o, Mask | Coarsen)]
        assert [[str(o.__struct_config__.tag), o.dataset, o.field] for o in treated] == want["treatments"]
    if "until" in want:
        assert [o.until for o in decision.obligations if hasattr(o, "until")] == [want["until"]]


def _withheld(decision: Decision) -> dict[str, list[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for part in decision.withheld:
        found[part.item].add(part.code)
    return {item: sorted(codes) for item, codes in found.items()}


def _granted(row: Row) -> set[str]:
    """What the row grants: named, or every asked item that is not withheld as a whole."""
    if not row.want["allow"]:
        return set()
    if "granted" in row.want:
        return set(row.want["granted"])
    asked = {f"{i['holder']}/{i['dataset']}" for i in row.document["request"]["items"]}
    whole = {item for item, codes in row.want.get("withheld", {}).items() if not set(codes) <= PARTLY}
    return asked - whole


def test_the_table_is_large_and_names_each_row_once() -> None:
    """The table has at least two hundred rows, each with a name of its own."""
    assert len(rows()) >= 200
    assert len({row.name for row in rows()}) == len(rows())


def reached(row: Row) -> set[str]:
    """Every code a row wants."""
    parts = row.want.get("withheld", {}).values()
    return set(row.want.get("codes", ())) | {code for codes in parts for code in codes}


def near(code: str, row: Row, other: Row) -> bool:
    """Whether `other` changes what `row` changes, and at most two things more, and does not reach `code`."""
    mine, its = changed()[row.name], changed()[other.name]
    return bool(mine) and mine <= its and len(its - mine) <= 2 and code not in reached(other)


def codes() -> list[str]:
    """Every code the reference data knows that a question of the schema can reach."""
    known = json.loads((default_folder() / "mydata/reference/data.json").read_text(encoding="utf-8"))["codes"]
    return sorted(set(known) - UNREACHABLE)


@pytest.mark.parametrize("code", codes())
def test_each_code_has_a_row_for_and_a_row_against(code: str) -> None:
    """A row reaches the code, and one that changes the same things just does not."""
    positive = [row for row in rows() if code in reached(row)]
    assert positive
    assert any(near(code, row, other) for row in positive for other in rows())


def test_no_row_wants_what_is_no_code() -> None:
    """What the rows reach is what the reference data knows."""
    assert set().union(*map(reached, rows())) == set(codes())


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
async def test_embedded_decides_as_the_table_says(row: Row, embedded: EmbeddedEngine) -> None:
    """The embedded engine gives what the row wants, and both sides fit their schemas."""
    validator("input").validate(row.document)
    decision = await embedded.decide(row.question)
    validator("decision").validate(json.loads(decision.canonical()))
    check(row, decision)


@pytest.mark.opa
async def test_opa_decides_the_same_bytes(opa_engine: OpaEngine, embedded: EmbeddedEngine) -> None:
    """OPA gives what every row wants, and byte for byte what the embedded engine gives."""
    for row in rows():
        decision = await opa_engine.decide(row.question)
        check(row, decision)
        assert decision.canonical() == (await embedded.decide(row.question)).canonical(), row.name
