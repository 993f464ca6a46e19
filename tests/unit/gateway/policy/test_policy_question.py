"""A question: strict, bounded, canonical, and the same as its published schema."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.policy.bundle import default_folder
from gateway.policy.errors import QuestionInvalid
from gateway.policy.question import MAX_BYTES, Subject, interval_days, parse
from tests.policy.table import base, patched, question, rows

SCHEMA = json.loads((default_folder() / "schemas/input.json").read_text(encoding="utf-8"))


def test_what_was_encoded_is_parsed_again() -> None:
    """Encoding gives canonical JSON of the very same question."""
    asked = question()
    assert parse(asked.encode()) == asked
    assert json.loads(asked.encode()) == base()
    assert asked.encode() == parse(json.dumps(base(), indent=3).encode()).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/request/time", -1),
        ("/request/time", 1.5),
        ("/request/time", "1795305600"),
        ("/request/time", True),
        ("/request/operation", "delete"),
        ("/request/items", []),
        ("/request/items/0/fields", []),
        ("/request/items/0/fields", "trans_amt"),
        ("/request/items/0/holder", "hanbit bank"),
        ("/request/items/0/holder", "hanbit-bank\n"),
        ("/request/items/0/frequency", "P07D"),
        ("/request/items/0/frequency", "weekly"),
        ("/request/items/0/interval_days", 0),
        ("/client/status", "ACTIVE"),
        ("/client/kinds/finance", "bank"),
        ("/client/country", "kr"),
        ("/consent/version", 0),
        ("/consent/retention_days", -1),
        ("/operator/role", "licensed"),
        ("/subject/age", 200),
        ("/subject", {"age": 30, "name": "x"}),
    ],
)
def test_off_the_schema_is_no_question(path: str, value: Any) -> None:
    """A value of the wrong kind, range or form is refused before any engine sees it."""
    with pytest.raises(QuestionInvalid):
        parse(json.dumps(patched(base(), [{"op": "replace", "path": path, "value": value}])).encode())


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"[]", b"{", b"\xff", b'{"a":' * 5000])
def test_noise_is_no_question(data: bytes) -> None:
    """Bytes that are no question at all are refused the same way."""
    with pytest.raises(QuestionInvalid):
        parse(data)


def test_too_large_is_no_question() -> None:
    """A question above the limit is refused, by its size alone."""
    with pytest.raises(QuestionInvalid, match="at most"):
        parse(b" " * (MAX_BYTES + 1))
    many = [{**base()["request"]["items"][0], "fields": ["f" * 80] * 128} for _ in range(64)]
    with pytest.raises(QuestionInvalid, match="at most"):
        parse(
            json.dumps(patched(base(), [{"op": "replace", "path": "/request/items", "value": many}])).encode()
        )


def test_a_question_built_wrong_is_not_encoded() -> None:
    """Building checks nothing, encoding does."""
    asked = question()
    parts = {name: getattr(asked, name) for name in asked.__struct_fields__}
    with pytest.raises(QuestionInvalid):
        type(asked)(**{**parts, "subject": Subject(age=-1)}).encode()


def test_the_published_schema_says_the_same() -> None:
    """Over two thousand changed questions the JSON Schema and the parser agree on each."""
    check = Draft202012Validator(SCHEMA)
    dice = random.Random(7)
    odd: list[Any] = [None, True, 0, -1, 1.5, 10**13, "", "x", "한", "P0D", "P7D", [], {}, ["x"], "A" * 200]
    agreed = 0
    for _ in range(2000):
        document = json.loads(json.dumps(dice.choice(rows()).document))
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = dice.choice(keys)
            if not isinstance(place[key], dict | list) or dice.random() < 0.2:
                place[key] = dice.choice(odd)
                break
            place = place[key]
        try:
            parse(json.dumps(document).encode())
            sound = True
        except QuestionInvalid:
            sound = False
        assert sound == check.is_valid(document), json.dumps(document)
        agreed += sound
    assert agreed > 100


def test_a_cycle_in_days() -> None:
    """Once has no days, P7D has seven, anything else is refused."""
    assert interval_days("once") is None
    assert interval_days("P7D") == 7
    assert interval_days("P365D") == 365
    for wrong in ("P0D", "P07D", "P1W", "7", "", "PD", "P1000D", "P٧D", "P-7D", "Once"):
        with pytest.raises(QuestionInvalid):
            interval_days(wrong)
