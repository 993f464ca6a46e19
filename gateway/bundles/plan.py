"""Compiles the rules of a dataset into straight-line code over a projected record.

The record type has only the fields that leave; every other field of the holder's JSON is skipped by the
decoder and never becomes a Python object. Kept values stay raw bytes. `Plan.hash` is the SHA-256 of a
canonical description, so that anyone with the same rules gets the same hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from gateway.bundles.errors import RulesError
from gateway.bundles.fields import DatasetRules, FieldRule, check
from gateway.bundles.manifest import TreatmentNote
from gateway.bundles.pseudonym import SCOPE, SubjectKeys
from gateway.bundles.redact import VERSION
from gateway.bundles.techniques import (
    SUSPICIOUS,
    Misfit,
    Technique,
    guard,
    pseudonymise,
    redact,
    round_to,
    truncate,
)

MISFITS = (Misfit, msgspec.MsgspecError, RecursionError)

Run = Callable[[Any], None]
"""Treats one projected record in place; raises Unfit."""


class Unfit(ValueError):
    """A value of a record does not fit; the text is `treatment:field`, never the value."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled plan. `record` is the projected type; `bind` makes its code for one citizen."""

    dataset: str
    rules: tuple[FieldRule, ...]
    hash: str
    record: type[msgspec.Struct]
    _code: Any

    def bind(self, keys: SubjectKeys, found: list[str]) -> Run:
        """The treating function for the citizen of `keys`; labels of what it replaced go to `found`."""
        names: dict[str, Any] = {"U": msgspec.UNSET, "S": SUSPICIOUS.search, "E": MISFITS, "Unfit": Unfit}
        for at, rule in enumerate(self.rules):
            names[f"t{at}"] = _technique(self.dataset, rule, keys, found)
            names[f"c{at}"] = f"{rule.treatment}:{rule.name}"
        exec(self._code, names)  # noqa: S102 (the source holds positions only, never a name or value from outside)
        run: Run = names["run"]
        return run

    def notes(self) -> list[TreatmentNote]:
        """What the manifest says was done to each field."""
        return [_note(self.dataset, rule) for rule in self.rules]


@lru_cache(maxsize=512)
def compile_plan(rules: DatasetRules) -> Plan:
    """The plan of `rules`; RulesError when the linter refuses them or nothing would leave."""
    check(rules)
    leaving = rules.leaving()
    if not leaving:
        raise RulesError("rules_nothing_leaves", dataset=rules.dataset)
    members = [(f"f{at}", msgspec.Raw, msgspec.UNSET) for at in range(len(leaving))]
    rename = {f"f{at}": rule.name for at, rule in enumerate(leaving)}
    record = msgspec.defstruct("Record", members, rename=rename, gc=False)
    code = compile(_source(leaving), f"<plan {rules.dataset}>", "exec")
    return Plan(rules.dataset, leaving, _hash(rules.dataset, leaving), record, code)


def combined_hash(plans: Iterable[Plan]) -> str:
    """One hash over the plans of a bundle, whatever their order."""
    return _sha256(sorted({plan.hash for plan in plans}))


def _source(rules: tuple[FieldRule, ...]) -> str:
    """One `if` a field: absent fields stay absent, kept ones are touched only when they look suspicious."""
    lines = ["def run(r):"]
    for at, rule in enumerate(rules):
        test = f" and S(r.f{at})" if rule.treatment == "keep" else ""
        lines += [
            f"    if r.f{at} is not U{test}:",
            f"        try: r.f{at} = t{at}(r.f{at})",
            f"        except E: raise Unfit(c{at}) from None",
        ]
    return "\n".join(lines)


def _technique(dataset: str, rule: FieldRule, keys: SubjectKeys, found: list[str]) -> Technique:
    match rule.treatment:
        case "pseudonymise":
            return pseudonymise(keys.field_prf(rule.join_group or f"{dataset}.{rule.name}"))
        case "truncate":
            return truncate(str(rule.parameter))
        case "round":
            return round_to(int(rule.parameter or 1))
        case "redact":
            return redact(found)
        case _:
            return guard(found)


def _hash(dataset: str, rules: tuple[FieldRule, ...]) -> str:
    fields = [
        {
            "name": rule.name,
            "treatment": rule.treatment,
            "parameter": rule.parameter,
            "join_group": rule.join_group or f"{dataset}.{rule.name}",
        }
        for rule in rules
    ]
    return _sha256({"plan": 1, "detectors": VERSION, "dataset": dataset, "fields": fields})


def _sha256(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _note(dataset: str, rule: FieldRule) -> TreatmentNote:
    keyed = rule.treatment == "pseudonymise"
    return TreatmentNote(
        dataset=dataset,
        field=rule.name,
        technique=rule.treatment,
        parameter=rule.parameter,
        scope=SCOPE if keyed else None,
        reversible_by="gateway" if keyed else "none",
    )
