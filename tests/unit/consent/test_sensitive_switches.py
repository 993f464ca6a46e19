"""Check 5: memo, merchant, purchase and health have a switch of their own, off, in every dataset."""

from __future__ import annotations

import pytest

from consent.choices import Choices, field_switches, has_switch, narrow, restrict
from consent.errors import ChoiceError
from consent.items import Terms
from tests.unit.consent.household import CATALOGUE, item, of_holder, parsed

HOLDERS = {
    "finance": "hanbit-bank",
    "telecom": "nuri-telecom",
    "energy": "haeoreum-energy",
    "retail": "dadam-market",
    "medical": "saebom-hospital",
}
SENSITIVE = sorted(
    (dataset.id, field.id)
    for dataset in CATALOGUE.datasets.values()
    if dataset.sector in HOLDERS
    for field in dataset.fields.values()
    if field.sensitive is not None and field.leaves
)


def _asked(dataset_id: str) -> Terms:
    """Everything of a dataset, needed."""
    fields = [f.id for f in CATALOGUE.dataset(dataset_id).fields.values() if f.leaves]
    holder = HOLDERS[dataset_id.split(".")[0]]
    return parsed([of_holder(holder, item(dataset_id, *fields, required=True))])


def test_check_5_the_catalogue_has_all_four_kinds() -> None:
    """Memo, merchant name, purchase category and health each occur in some dataset."""
    kinds = {CATALOGUE.dataset(d).fields[f].sensitive for d, f in SENSITIVE}
    assert kinds == {"memo", "merchant", "purchase", "health"}


@pytest.mark.parametrize(("dataset", "field"), SENSITIVE)
def test_check_5_nothing_sensitive_is_agreed_by_silence(dataset: str, field: str) -> None:
    """Without its switch it is not agreed: the field stays out, or the whole sensitive dataset does."""
    asked = _asked(dataset)
    try:
        agreed = narrow(asked, Choices(), catalogue=CATALOGUE)
    except ChoiceError as error:
        if error.code != "required_item_not_chosen":
            raise
        assert has_switch(asked.items[0], CATALOGUE)
        return
    assert field not in agreed.items[0].fields
    assert field in field_switches(asked.items[0], CATALOGUE)


@pytest.mark.parametrize(("dataset", "field"), SENSITIVE)
def test_check_5_narrowing_never_switches_it_on(dataset: str, field: str) -> None:
    """What was left out at first cannot come in by taking something back."""
    asked = _asked(dataset)
    kept = tuple(name for name in asked.items[0].fields if name != field)
    agreed = restrict(asked, {asked.items[0].name: kept})
    with pytest.raises(ChoiceError) as caught:
        restrict(agreed, {asked.items[0].name: (field,)})
    assert caught.value.code == "choice_unknown"
