"""Treating records: each technique by example, and records that do not fit."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from gateway.bundles.fields import DatasetRules, FieldRule
from gateway.bundles.plan import compile_plan
from gateway.bundles.treat import Treated, treat
from tests.unit.gateway.bundles.story import RRN, keys


def run(rule: FieldRule, *records: bytes) -> Treated:
    """Treat `records` with one rule."""
    return treat(compile_plan(DatasetRules("a.b", (rule.name,), (rule,))), keys(), records)


def one(rule: FieldRule, value: str) -> Any:
    """The treated value of one JSON token, or the cause why the record was dropped."""
    result = run(rule, b'{"f": ' + value.encode() + b"}")
    return next(iter(result.unreadable)) if result.unreadable else json.loads(result.body)["f"]


@pytest.mark.parametrize(
    ("token", "unit", "expected"),
    [
        ('"20261122103045"', "hour", "20261122100000"),
        ('"20261122103045"', "day", "20261122"),
        ('"20261122103045"', "month", "202611"),
        ('"20261122"', "hour", "20261122"),
        ('"202611"', "day", "202611"),
        ("20261122", "month", 202611),
        ('"2026-11-22T10:30:45+09:00"', "hour", "2026-11-22T10:00:00+09:00"),
        ('"2026-11-22T10:30:45.123Z"', "hour", "2026-11-22T10:00:00Z"),
        ('"2026-11-22T10:30"', "day", "2026-11-22"),
        ('"2026-11-22"', "month", "2026-11"),
        ('"2026-11"', "day", "2026-11"),
        ('"2026"', "hour", "2026"),
        ('"2026-22"', "day", "truncate:f"),
        ('"2026T10:30"', "day", "truncate:f"),
        ("1795311045", "hour", 1795309200),
        ("1795311045", "day", 1795273200),
        ("1795311045", "month", 1793458800),
        ("null", "day", None),
        ('""', "day", ""),
        ('"yesterday"', "day", "truncate:f"),
        ('"20261322"', "day", "truncate:f"),
        ('"2026-11-22 10:30"', "day", "truncate:f"),
        ("true", "day", "truncate:f"),
        ("[1]", "day", "truncate:f"),
        ("-1", "day", "truncate:f"),
    ],
)
def test_truncate(token: str, unit: str, expected: object) -> None:
    """Times are cut in every form holders write them; what is no time drops the record."""
    assert one(FieldRule("f", "truncate", unit, "time"), token) == expected


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("1234567", 1230000),
        ("1235000", 1240000),
        ("-1235000", -1240000),
        ("4999", 0),
        ('"15000"', "20000"),
        ('"14999.99"', "10000"),
        ("14999.99", 10000),
        ("null", None),
        ('"1,000"', "round:f"),
        ("1e30", "round:f"),
        ('"NaN"', "round:f"),
        ("true", "round:f"),
        ("{}", "round:f"),
    ],
)
def test_round(token: str, expected: object) -> None:
    """Numbers go to the nearest multiple, halves away from zero; strings stay strings."""
    assert one(FieldRule("f", "round", 10000, "money"), token) == expected


def test_pseudonymise_keeps_equality_and_hides_the_value() -> None:
    """The same account, written as number, string or with escapes, is one pseudonym of 22 characters."""
    rule = FieldRule("f", "pseudonymise", None, "identifier")
    values = {one(rule, token) for token in ("12345", '"12345"', '"\\u00312345"')}
    assert len(values) == 1
    assert len(next(iter(values))) == 22
    assert one(rule, '"12346"') not in values
    assert one(rule, "null") is None
    assert one(rule, "[1]") == "pseudonymise:f"
    assert one(rule, "1.5") == "pseudonymise:f"


def test_redact_goes_into_every_depth() -> None:
    """Free text inside lists and objects, and names of members, are redacted too."""
    rule = FieldRule("f", "redact", None, "text")
    assert one(rule, f'[{{"text": "{RRN}입니다", "{RRN}": 1}}]') == [{"text": "[rrn]입니다", "[rrn]": 1}]


def test_redact_reads_numbers_too() -> None:
    """A memo that is nothing but an account number, written as a JSON number, is still one."""
    rule = FieldRule("f", "redact", None, "text")
    assert one(rule, "1101234567") == "[account]"
    assert one(rule, "110123456") == 110123456


@pytest.mark.parametrize(
    "token",
    [
        f'"{RRN}"',
        '"9001011234567"',
        "9001011234567",
        '"\\u0039\\u0030\\u00301011234567"',
        '"９００１０１－１２３４５６７"',
        '"900101\u200b-1234567"',
        f'{{"deep": ["x {RRN} y"]}}',
    ],
)
@pytest.mark.parametrize("treatment", ["keep", "redact"])
def test_no_resident_registration_number_leaves(token: str, treatment: str) -> None:
    """Escaped, full-width, invisible-split or numeric: it is replaced even in a kept field."""
    result = run(FieldRule("f", treatment, None, "text"), b'{"f": ' + token.encode() + b"}")
    assert b"[rrn]" in result.body
    assert b"1234567" not in result.body
    assert result.replaced == {"rrn": 1}


def test_a_kept_value_stays_on_one_line() -> None:
    """Line breaks between tokens of a nested value cannot break NDJSON, and nothing else changes."""
    rule = FieldRule("f", "keep", None, "code")
    result = run(rule, b'{"f": {"a":\n [1.50,\r\n\t"x y"]}}', b'{"f": "a\\nb"}')
    assert result.body == b'{"f":{"a":[1.50,"x y"]}}\n{"f":"a\\nb"}\n'


def test_absent_and_null_stay_what_they_are() -> None:
    """An absent field is not invented, and null is not treated."""
    result = run(FieldRule("f", "keep", None, "code"), b"{}", b'{"f":null}')
    assert result.body == b'{}\n{"f":null}\n'


def test_unreadable_records_are_counted_by_name_and_stop_nothing() -> None:
    """Each kind of damage has its name; the records around it still leave."""
    bad = (
        b"{",
        b"",
        b"[1]",
        b"null",
        b'{"f": "\xff"}',
        b'{"f": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"f": 1} {"f": 2}',
        b'{"f": "not a time"}',
    )
    rule = FieldRule("f", "truncate", "day", "time")
    result = run(rule, b'{"f":"20260101"}', *bad, b'{"f":"20260102"}')
    assert result.body == b'{"f":"20260101"}\n{"f":"20260102"}\n'
    assert result.records == 2
    assert result.unreadable == {"json": 3, "object": 2, "utf8": 1, "depth": 1, "truncate:f": 1}


def test_no_records_make_an_empty_part() -> None:
    """Nothing in, nothing out."""
    assert run(FieldRule("f", "keep", None, "code")) == Treated(b"", 0, {}, {})


def test_what_was_replaced_in_a_dropped_record_is_not_counted() -> None:
    """Numbers speak of records that left."""
    rules = (FieldRule("a", "redact", None, "text"), FieldRule("b", "round", 10, "money"))
    plan = compile_plan(DatasetRules("a.b", ("a", "b"), rules))
    result = treat(plan, keys(), [msgspec.json.encode({"a": RRN, "b": "x"})])
    assert (result.replaced, result.unreadable) == ({}, {"round:b": 1})
