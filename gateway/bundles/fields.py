"""What happens to each field of a dataset before it leaves, and the linter that refuses unsafe rules.

    keep           verbatim, but for a resident registration number found inside
    pseudonymise   keyed pseudonym (gateway.bundles.pseudonym)
    truncate       a time, cut to `hour`, `day` or `month`
    round          a number, to the nearest multiple of `parameter`, halves away from zero
    redact         free text, with identifiers replaced by labels (gateway.bundles.redact)
    suppress       never leaves, whatever was granted

Default deny: a field without a rule is never decoded, and a granted field without a rule is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.bundles.errors import RulesError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,99}")
KINDS = frozenset({"direct", "identifier", "quasi", "time", "money", "quantity", "code", "text"})
"""What a value is; the `class` of the catalogue."""

TREATMENTS: dict[str, frozenset[str]] = {
    "keep": KINDS - {"direct", "identifier"},
    "pseudonymise": frozenset({"identifier", "quasi", "code"}),
    "truncate": frozenset({"time"}),
    "round": frozenset({"money", "quantity"}),
    "redact": frozenset({"text", "quasi", "code"}),
    "suppress": KINDS,
}
"""Each treatment with the kinds of field it is enough for. Direct identifiers are only ever suppressed."""

TRUNCATIONS = ("hour", "day", "month")


@dataclass(frozen=True, slots=True)
class FieldRule:
    """The rule of one field. `kind` is required: what a value is decides which treatments are enough.

    `parameter` is the unit of `truncate`, the step of `round`, else None. Fields with the same `join_group`
    get the same pseudonym for the same value; without one, a field is joined with nothing but itself.
    """

    name: str
    treatment: str
    parameter: str | int | None
    kind: str
    join_group: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetRules:
    """All rules of a dataset, and the fields the consent and the policy let leave."""

    dataset: str
    granted: tuple[str, ...]
    rules: tuple[FieldRule, ...]

    def leaving(self) -> tuple[FieldRule, ...]:
        """The rules of the fields that leave, by name: granted and not suppressed."""
        granted = set(self.granted)
        kept = (rule for rule in self.rules if rule.name in granted and rule.treatment != "suppress")
        return tuple(sorted(kept, key=lambda rule: rule.name))


def findings(rules: DatasetRules) -> list[RulesError]:
    """Everything wrong with `rules`; empty when a plan may be compiled from them."""
    found = [] if NAME.fullmatch(rules.dataset) else [RulesError("rules_name_invalid", dataset=rules.dataset)]
    names = [rule.name for rule in rules.rules]
    found += [
        RulesError("rules_field_twice", field=name) for name in sorted(set(names)) if names.count(name) > 1
    ]
    found += [
        RulesError("rules_field_unknown", dataset=rules.dataset, field=name)
        for name in sorted(set(rules.granted) - set(names))
    ]
    for rule in rules.rules:
        found += _rule_findings(rule)
    return found


def check(rules: DatasetRules) -> None:
    """Raise the first of `findings`, if any."""
    if found := findings(rules):
        raise found[0]


def _rule_findings(rule: FieldRule) -> list[RulesError]:
    found = []
    if not NAME.fullmatch(rule.name) or (rule.join_group and not NAME.fullmatch(rule.join_group)):
        found.append(RulesError("rules_name_invalid", field=rule.name))
    if rule.treatment not in TREATMENTS or rule.kind not in KINDS:
        found.append(RulesError("rules_treatment_unknown", field=rule.name, treatment=rule.treatment))
    elif rule.kind not in TREATMENTS[rule.treatment]:
        exposed = rule.kind in ("direct", "identifier")
        code = "rules_identifier_exposed" if exposed else "rules_treatment_misfit"
        found.append(RulesError(code, field=rule.name, treatment=rule.treatment, kind=rule.kind))
    if not _fits(rule):
        found.append(RulesError("rules_parameter_invalid", field=rule.name, treatment=rule.treatment))
    return found


def _fits(rule: FieldRule) -> bool:
    if rule.treatment == "truncate":
        return rule.parameter in TRUNCATIONS
    if rule.treatment == "round":
        return type(rule.parameter) is int and 1 < rule.parameter <= 10**12
    return rule.parameter is None
