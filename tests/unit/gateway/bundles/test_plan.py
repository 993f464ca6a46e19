"""Plans: only granted fields are decoded, and the hash names exactly what is done."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from gateway.bundles.fields import DatasetRules, FieldRule
from gateway.bundles.plan import combined_hash, compile_plan
from gateway.bundles.treat import treat
from tests.unit.gateway.bundles.story import DATASET, GRANTED, RULES, keys, record

WHOLE = DatasetRules(DATASET, GRANTED, RULES)


def test_the_projected_record_has_only_fields_that_leave() -> None:
    """A field that does not leave has no place to be decoded into."""
    plan = compile_plan(WHOLE)
    assert {rule.name for rule in plan.rules} == set(GRANTED)
    assert len(plan.record.__struct_fields__) == len(GRANTED)


def test_nothing_ungranted_appears_even_by_part() -> None:
    """Canaries in ungranted, suppressed and unknown fields are in no byte of the output."""
    body = treat(compile_plan(WHOLE), keys(), [record()]).body
    assert b"CANARY" not in body
    assert b"110123456789" not in body


def test_granting_a_suppressed_field_lets_nothing_out() -> None:
    """Suppress wins over a grant."""
    plan = compile_plan(replace(WHOLE, granted=(*GRANTED, "user_ci")))
    assert plan.hash == compile_plan(WHOLE).hash
    assert b"CANARY" not in treat(plan, keys(), [record()]).body


def test_the_hash_is_the_same_for_the_same_treatment_in_any_order() -> None:
    """Order of rules and grants is not part of what is done."""
    other = DatasetRules(DATASET, GRANTED[::-1], RULES[::-1])
    assert compile_plan(other).hash == compile_plan(WHOLE).hash


def test_the_hash_can_be_recomputed_by_anyone() -> None:
    """It is the SHA-256 of a canonical description that holds nothing but what the manifest shows."""
    rules = (FieldRule("at", "truncate", "day", "time"), FieldRule("no", "pseudonymise", None, "identifier"))
    described = (
        '{"dataset":"a.b","detectors":1,"fields":['
        '{"join_group":"a.b.at","name":"at","parameter":"day","treatment":"truncate"},'
        '{"join_group":"a.b.no","name":"no","parameter":null,"treatment":"pseudonymise"}],"plan":1}'
    )
    expected = "sha256:" + hashlib.sha256(described.encode()).hexdigest()
    assert compile_plan(DatasetRules("a.b", ("no", "at"), rules)).hash == expected


@pytest.mark.parametrize(
    "rule",
    [
        FieldRule("balance_amt", "round", 1000, "money"),
        FieldRule("balance_amt", "keep", None, "money"),
        FieldRule("trans_dtime", "truncate", "day", "time"),
        FieldRule("account_num", "pseudonymise", None, "identifier", "accounts"),
    ],
)
def test_the_hash_changes_with_any_rule(rule: FieldRule) -> None:
    """Another parameter, treatment or join group is another plan."""
    rules = tuple(rule if old.name == rule.name else old for old in RULES)
    assert compile_plan(replace(WHOLE, rules=rules)).hash != compile_plan(WHOLE).hash


def test_the_combined_hash_is_of_a_set_of_plans() -> None:
    """The same plans in any order and number give one hash; another plan another."""
    first, second = compile_plan(WHOLE), compile_plan(replace(WHOLE, granted=("trans_amt",)))
    assert combined_hash([first, second]) == combined_hash([second, first, first])
    assert combined_hash([first]) != combined_hash([second])


def test_notes_say_who_can_undo_a_treatment() -> None:
    """Only keyed pseudonyms can be recomputed by the gateway; the rest cannot be undone."""
    notes = {note.field: note for note in compile_plan(WHOLE).notes()}
    assert (notes["account_num"].reversible_by, notes["account_num"].scope) == (
        "gateway",
        "subject@recipient",
    )
    assert (notes["balance_amt"].technique, notes["balance_amt"].parameter) == ("round", 10000)
    assert {note.reversible_by for name, note in notes.items() if name != "account_num"} == {"none"}
