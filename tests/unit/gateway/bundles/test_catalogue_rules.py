"""The catalogue's own rules: all of them compile, and nothing suppressed or unknown leaves by them."""

from __future__ import annotations

import json

import orjson
import pytest

from consent.catalogue import Dataset, load
from gateway.bundles.fields import DatasetRules, FieldRule
from gateway.bundles.plan import compile_plan
from gateway.bundles.treat import treat
from tests.unit.gateway.bundles.story import RRN, keys

DATASETS = sorted(load().datasets.values(), key=lambda dataset: dataset.id)


def rules(dataset: Dataset) -> DatasetRules:
    """The rules of a dataset with everything granted."""
    made = tuple(FieldRule(f.id, f.treatment, f.parameter, f.kind) for f in dataset.fields.values())
    return DatasetRules(dataset.id, tuple(dataset.fields), made)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.id)
def test_every_dataset_compiles(dataset: Dataset) -> None:
    """No rule of the catalogue is too weak for its field, and direct identifiers never leave."""
    plan = compile_plan(rules(dataset))
    assert {rule.name for rule in plan.rules} == {f.id for f in dataset.fields.values() if f.leaves}
    assert "direct" not in {rule.kind for rule in plan.rules}


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.id)
def test_identifiers_stay_inside_whatever_the_field(dataset: Dataset) -> None:
    """With a registration number in every text and a canary in every identifier, neither leaves."""
    samples = {"time": "20261122103045", "money": 12345, "quantity": 7, "direct": "CANARY"}
    body = {f.id: samples.get(f.kind, f"{RRN}입니다") for f in dataset.fields.values()}
    identifiers = {f.id: f"CANARY-{f.id}" for f in dataset.fields.values() if f.kind == "identifier"}
    line = orjson.dumps({**body, **identifiers, "someone_new": "CANARY"})
    treated = treat(compile_plan(rules(dataset)), keys(), [line])
    assert treated.unreadable == {}
    assert set(json.loads(treated.body)) == {f.id for f in dataset.fields.values() if f.leaves}
    assert b"CANARY" not in treated.body
    assert RRN[-7:].encode() not in treated.body
