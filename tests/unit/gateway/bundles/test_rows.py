"""Rows are judged before anything of them is decoded; a row that does not say what it must stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.bundles.fields import DatasetRules, FieldRule
from gateway.bundles.plan import compile_plan
from gateway.bundles.pseudonym import Domain
from gateway.bundles.rows import ACCOUNT, AMOUNT, KIND, RowRule, judge
from gateway.bundles.treat import treat

MINE = RowRule(account="acc", accounts=frozenset({"ref-1"}), refer=lambda account: f"ref-{account}")
OUT = RowRule(kind="type", kinds=frozenset({"02"}))
SOME = RowRule(amount="amt", least=10, most=20)


def _judged(rule: RowRule, row: dict[str, Any]) -> str | None:
    judged = judge(rule)
    assert judged is not None
    return judged(json.dumps(row).encode())


def test_without_a_choice_there_is_no_judge() -> None:
    """Every row leaves, and nothing is read for it."""
    assert judge(RowRule()) is None


@pytest.mark.parametrize(
    ("rule", "row", "why"),
    [
        (MINE, {"acc": "1"}, None),
        (MINE, {"acc": 1}, None),
        (MINE, {"acc": "2"}, ACCOUNT),
        (MINE, {}, ACCOUNT),
        (MINE, {"acc": None}, ACCOUNT),
        (MINE, {"acc": True}, ACCOUNT),
        (MINE, {"acc": ["1"]}, ACCOUNT),
        (OUT, {"type": "02"}, None),
        (OUT, {"type": "03"}, KIND),
        (OUT, {}, KIND),
        (OUT, {"type": {"02": "02"}}, KIND),
        (SOME, {"amt": 10}, None),
        (SOME, {"amt": "20"}, None),
        (SOME, {"amt": 15.5}, None),
        (SOME, {"amt": 9.99}, AMOUNT),
        (SOME, {"amt": "20.01"}, AMOUNT),
        (SOME, {"amt": "NaN"}, AMOUNT),
        (SOME, {"amt": "Infinity"}, AMOUNT),
        (SOME, {"amt": "twelve"}, AMOUNT),
        (SOME, {"amt": True}, AMOUNT),
        (SOME, {}, AMOUNT),
    ],
)
def test_a_row_leaves_only_when_it_says_so(rule: RowRule, row: dict[str, Any], why: str | None) -> None:
    """Missing, of another type, or not what was chosen: it stays, and the reason is named."""
    assert _judged(rule, row) == why


def test_an_account_is_referred_to_once() -> None:
    """However many rows an account has."""
    asked: list[str] = []

    def refer(account: str) -> str:
        asked.append(account)
        return account

    judged = judge(RowRule(account="acc", accounts=frozenset({"1"}), refer=refer))
    assert judged is not None
    assert [judged(b'{"acc":"1"}') for _ in range(5)] == [None] * 5
    assert asked == ["1"]


def test_what_was_not_chosen_is_counted_and_nothing_else_is() -> None:
    """Rows not chosen are told by reason; broken ones by cause; only what is left is in the part."""
    rules = DatasetRules("d", ("amt",), (FieldRule("amt", "keep", None, "money"),))
    keys = Domain("recipient", 1, b"k" * 32).subject(b"s" * 32)
    rows = [b'{"acc":"1","amt":5}', b'{"acc":"2","amt":6}', b"[1]", b"{", b'{"acc":"3","amt":7}']
    treated = treat(compile_plan(rules), keys, rows, judge(MINE))
    assert treated.body == b'{"amt":5}\n'
    assert treated.filtered == {ACCOUNT: 2}
    assert sum(treated.unreadable.values()) == 2
    assert treat(compile_plan(rules), keys, rows).filtered is None
