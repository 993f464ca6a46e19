"""The linter: what no plan may be compiled from."""

from __future__ import annotations

import pytest

from gateway.bundles.errors import RulesError
from gateway.bundles.fields import DatasetRules, FieldRule, check, findings
from gateway.bundles.plan import compile_plan
from tests.unit.gateway.bundles.story import DATASET, GRANTED, RULES


def rules(*members: FieldRule, granted: tuple[str, ...] = ()) -> DatasetRules:
    """Rules of one dataset that grant `granted`, or every member."""
    return DatasetRules("a.b", granted or tuple(member.name for member in members), members)


def test_the_catalogue_like_rules_have_no_findings() -> None:
    """Rules as the catalogue writes them are accepted."""
    assert findings(DatasetRules(DATASET, GRANTED, RULES)) == []


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (FieldRule("account_num", "keep", None, "identifier"), "rules_identifier_exposed"),
        (FieldRule("account_num", "redact", None, "identifier"), "rules_identifier_exposed"),
        (FieldRule("customer", "keep", None, "direct"), "rules_identifier_exposed"),
        (FieldRule("customer", "pseudonymise", None, "direct"), "rules_identifier_exposed"),
        (FieldRule("memo", "truncate", "day", "text"), "rules_treatment_misfit"),
        (FieldRule("memo", "pseudonymise", None, "text"), "rules_treatment_misfit"),
        (FieldRule("at", "truncate", "year", "time"), "rules_parameter_invalid"),
        (FieldRule("at", "truncate", None, "time"), "rules_parameter_invalid"),
        (FieldRule("amt", "round", 0, "money"), "rules_parameter_invalid"),
        (FieldRule("amt", "round", 1, "money"), "rules_parameter_invalid"),
        (FieldRule("amt", "round", True, "money"), "rules_parameter_invalid"),
        (FieldRule("amt", "keep", 5, "money"), "rules_parameter_invalid"),
        (FieldRule("amt", "hash", None, "money"), "rules_treatment_unknown"),
        (FieldRule("amt", "keep", None, ""), "rules_treatment_unknown"),
        (FieldRule("amt\nx", "keep", None, "money"), "rules_name_invalid"),
        (FieldRule("id", "pseudonymise", None, "identifier", "a b"), "rules_name_invalid"),
    ],
)
def test_each_unsafe_rule_is_refused_by_its_code(rule: FieldRule, code: str) -> None:
    """An identifier kept, a treatment that does not fit, a wrong parameter: each has its own code."""
    with pytest.raises(RulesError) as refused:
        check(rules(rule))
    assert refused.value.code == code


def test_a_granted_field_without_a_rule_is_refused() -> None:
    """Default deny is loud: nothing granted is silently dropped or passed."""
    with pytest.raises(RulesError) as refused:
        compile_plan(rules(FieldRule("amt", "keep", None, "money"), granted=("amt", "extra")))
    assert (refused.value.code, refused.value.params["field"]) == ("rules_field_unknown", "extra")


def test_a_field_with_two_rules_is_refused() -> None:
    """Two rules for one field have no meaning."""
    twice = FieldRule("amt", "keep", None, "money")
    assert [one.code for one in findings(rules(twice, twice))] == ["rules_field_twice"]


def test_a_plan_that_lets_nothing_leave_is_refused() -> None:
    """Only suppressed fields granted: there is nothing to compile."""
    with pytest.raises(RulesError) as refused:
        compile_plan(rules(FieldRule("customer", "suppress", None, "direct")))
    assert refused.value.code == "rules_nothing_leaves"
