"""Laws of treatment: the compiled plan and the plain interpretation agree; nothing ungranted ever leaves."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import orjson
from hypothesis import given, settings

from gateway.bundles.fields import DatasetRules, FieldRule
from gateway.bundles.plan import compile_plan
from gateway.bundles.pseudonym import Domain
from gateway.bundles.redact import IDENTIFIERS, redact_text
from gateway.bundles.treat import treat
from tests.unit.gateway.bundles.oracle import Oracle

SECRET, SALT = bytes(range(32)), bytes(range(64, 96))
KEYS = Domain("recipient", 1, SECRET).subject(SALT)

RULES = (
    FieldRule("acct", "pseudonymise", None, "identifier"),
    FieldRule("mgmt", "pseudonymise", None, "identifier", "subscription"),
    FieldRule("at", "truncate", "hour", "time"),
    FieldRule("day", "truncate", "day", "time"),
    FieldRule("amt", "round", 1000, "money"),
    FieldRule("kind", "keep", None, "code"),
    FieldRule("deep", "keep", None, "text"),
    FieldRule("ci", "suppress", None, "direct"),
)
NAMES = [rule.name for rule in RULES]

stamps = st.datetimes().map(lambda at: at.strftime("%Y%m%d%H%M%S").zfill(14))
isos = st.datetimes().map(lambda at: at.replace(microsecond=0).isoformat() + "+09:00")
seconds = st.integers(10**8, 10**11)
texts = st.text(st.characters(codec="utf-8"), max_size=12)
resident = st.builds(
    "{}{:02}{:02}{:02}{}{:07}{}".format,
    st.sampled_from(["", "x", "성명 "]),
    st.integers(0, 99),
    st.integers(1, 12),
    st.integers(1, 31),
    st.sampled_from(["", "-", " ", " - "]),
    st.integers(0, 9_999_999),
    st.sampled_from(["", "입니다", "-"]),
)
scalars = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | texts | resident
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
values = st.one_of(
    json_values, stamps, isos, st.integers(-(10**12), 10**12).map(str), st.just("1234.5"), seconds
)
records = st.dictionaries(st.sampled_from([*NAMES, "unknown", "other"]), values, max_size=10)
granted = st.sets(st.sampled_from(NAMES[:-1]), min_size=1)


def oracle_says(oracle: Oracle, line: bytes) -> Any:
    """The interpreted record, or None when it is unreadable."""
    try:
        return oracle.record(line)
    except (ValueError, TypeError):
        return None


@given(records=st.lists(records, max_size=4), granted=granted)
@settings(deadline=None, max_examples=150)
def test_compiled_and_interpreted_agree(records: list[dict[str, Any]], granted: set[str]) -> None:
    """For any records and any grant both give the same lines, and drop the same records."""
    rules = DatasetRules("a.b", tuple(sorted(granted)), RULES)
    lines = [orjson.dumps(record) for record in records]
    oracle = Oracle(rules, SECRET, SALT)
    expected = [one for one in (oracle_says(oracle, line) for line in lines) if one is not None]
    result = treat(compile_plan(rules), KEYS, lines)
    assert [json.loads(line) for line in result.body.splitlines()] == expected
    assert result.records + sum(result.unreadable.values()) == len(lines)


@given(value=values, granted=granted)
@settings(deadline=None, max_examples=100)
def test_no_ungranted_name_or_value_leaves(value: Any, granted: set[str]) -> None:
    """Whatever stands in fields not granted, suppressed or unknown, only granted names leave."""
    canary = {name: "CANARY" for name in (*NAMES, "unknown", "other") if name not in granted}
    line = orjson.dumps({**canary, **dict.fromkeys(granted, value)})
    body = treat(compile_plan(DatasetRules("a.b", tuple(sorted(granted)), RULES)), KEYS, [line]).body
    assert b"CANARY" not in body
    for out in body.splitlines():
        assert set(json.loads(out)) <= granted


@given(lines=st.lists(st.binary(max_size=60) | records.map(orjson.dumps), max_size=6))
@settings(deadline=None, max_examples=100)
def test_any_bytes_are_treated_or_counted(lines: list[bytes]) -> None:
    """No input raises; every record is either one line of JSON or counted under a name."""
    result = treat(compile_plan(DatasetRules("a.b", ("kind", "amt"), RULES)), KEYS, lines)
    assert result.body.count(b"\n") == result.records
    assert result.records + sum(result.unreadable.values()) == len(lines)


@given(
    before=st.text(st.characters(codec="utf-8", exclude_categories=("Nd",)), max_size=10),
    after=st.text(st.characters(codec="utf-8", exclude_categories=("Nd",)), max_size=10),
    birth=st.dates(),
    tail=st.integers(0, 9_999_999),
    between=st.sampled_from(["", "-", " ", "－", "—", " - ", "\u200b-"]),
)
@settings(deadline=None, max_examples=200)
def test_a_registration_number_never_leaves_a_memo(
    before: str, after: str, birth: Any, tail: int, between: str
) -> None:
    """Wherever it stands in a text and however its dash is typed, its tail is gone."""
    text = f"{before}{birth:%y%m%d}{between}{tail:07}{after}"
    assert f"{tail:07}" not in redact_text(text, IDENTIFIERS, [])
