"""What the citizen chooses: required kept, sensitive apart, never wider."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.choices import within
from consent.errors import ChoiceError
from consent.terms import Choices, Terms, field_switches, has_switch, narrow, restrict
from tests.unit.consent.household import (
    BANK,
    CATALOGUE,
    HOSPITAL,
    MARKET,
    bank,
    details,
    item,
    of_holder,
    parsed,
)


def _narrow(terms: Terms, items: set[str] = frozenset(), **fields: set[str]) -> Terms:  # type: ignore[assignment]
    names = {"bank": BANK, "hospital": HOSPITAL, "market": MARKET}
    chosen = {names[name]: frozenset(value) for name, value in fields.items()}
    return narrow(terms, Choices(frozenset(items), chosen), catalogue=CATALOGUE)


def _fields(terms: Terms, name: str) -> tuple[str, ...]:
    found = terms.item(name)
    assert found is not None
    return found.fields


def test_nothing_ticked_keeps_the_required_without_its_sensitive_fields() -> None:
    """With every switch off, required items are agreed and the memo is not."""
    terms = _narrow(parsed(details()))
    assert [kept.name for kept in terms.items] == [BANK]
    assert _fields(terms, BANK) == ("account_num", "trans_dtime", "trans_amt", "balance_amt")


def test_a_sensitive_field_is_sent_only_when_switched_on() -> None:
    """The memo is agreed by its own switch."""
    assert "trans_memo" in _fields(_narrow(parsed(details()), bank={"trans_memo"}), BANK)


def test_an_optional_item_comes_without_its_sensitive_field() -> None:
    """Choosing the orders does not choose what was bought."""
    assert _fields(_narrow(parsed(details()), {MARKET}), MARKET) == ("orderDate", "totalPrice")


def test_a_sensitive_dataset_has_one_switch_and_free_text_its_own() -> None:
    """Choosing test results covers the results, and the clinician's note only if it is chosen too."""
    asked = parsed(details())
    assert _fields(_narrow(asked, {HOSPITAL}), HOSPITAL) == ("code", "effectiveDateTime", "valueQuantity")
    assert "note" in _fields(_narrow(asked, {HOSPITAL}, hospital={"note"}), HOSPITAL)


def test_a_field_switch_alone_does_not_choose_its_item() -> None:
    """A ticked note under an item that was not chosen brings nothing."""
    assert _narrow(parsed(details()), hospital={"note"}).item(HOSPITAL) is None


def test_a_required_sensitive_dataset_is_never_taken_as_agreed() -> None:
    """Health data that the client needs still wants the citizen's own yes (PIPA 23)."""
    asked = parsed([of_holder("saebom-hospital", item("medical.observations", "code", required=True))])
    assert has_switch(asked.items[0], CATALOGUE)
    with pytest.raises(ChoiceError) as caught:
        _narrow(asked)
    assert caught.value.code == "required_item_not_chosen"
    assert _narrow(asked, {HOSPITAL}) == asked


def test_a_required_item_of_sensitive_fields_only_must_be_chosen() -> None:
    """A required item with nothing but a memo is not agreed by silence."""
    asked = parsed([bank(fields=["trans_memo"])])
    with pytest.raises(ChoiceError) as caught:
        _narrow(asked)
    assert caught.value.code == "required_item_not_chosen"
    assert _narrow(asked, bank={"trans_memo"}) == asked


def test_choosing_nothing_at_all_is_no_consent() -> None:
    """When every item is optional and none is ticked there is nothing to agree to."""
    with pytest.raises(ChoiceError) as caught:
        _narrow(parsed(details()[1:]))
    assert caught.value.code == "nothing_chosen"


@pytest.mark.parametrize(
    ("items", "fields"),
    [
        ({"nuri-telecom/telecom.bills"}, {}),
        ({BANK}, {}),
        (set(), {BANK: frozenset({"trans_amt"})}),
        (set(), {HOSPITAL: frozenset({"performer"})}),
        (set(), {"nuri-telecom/telecom.bills": frozenset({"charge_amt"})}),
    ],
    ids=[
        "item not asked",
        "required has no switch",
        "field has no switch",
        "field not asked",
        "unknown item",
    ],
)
def test_a_choice_that_was_not_offered_is_refused(items: set[str], fields: dict[str, frozenset[str]]) -> None:
    """Only switches that were on the page can be turned."""
    with pytest.raises(ChoiceError) as caught:
        narrow(parsed(details()), Choices(frozenset(items), fields), catalogue=CATALOGUE)
    assert caught.value.code == "choice_unknown"


@st.composite
def _asked(draw: st.DrawFn) -> Terms:
    """Any request over the five sectors."""
    objects: dict[str, list[dict[str, Any]]] = {}
    holders = {"finance": "hanbit-bank", "telecom": "nuri-telecom", "energy": "haeoreum-energy"}
    holders |= {"retail": "dadam-market", "medical": "saebom-hospital"}
    for dataset in draw(st.lists(st.sampled_from(sorted(CATALOGUE.datasets)), min_size=1, unique=True)):
        offered = [f.id for f in CATALOGUE.dataset(dataset).fields.values() if f.leaves]
        fields = draw(st.lists(st.sampled_from(offered), min_size=1, unique=True))
        entry = item(dataset, *fields, required=draw(st.booleans()))
        objects.setdefault(holders[dataset.split(".")[0]], []).append(entry)
    return parsed([of_holder(holder, *items) for holder, items in objects.items()])


def _terms_or_none(asked: Terms, choices: Choices) -> Terms | None:
    """What the choices leave, or None if they do not make a consent."""
    try:
        return narrow(asked, choices, catalogue=CATALOGUE)
    except ChoiceError as error:
        if error.code in {"required_item_not_chosen", "nothing_chosen"}:
            return None
        raise


@settings(deadline=None)
@given(_asked(), st.data())
def test_narrowing_never_widens(asked: Terms, data: st.DataObject) -> None:
    """Whatever is chosen: within what was asked, required kept, nothing sensitive without its switch."""
    switched = [i.name for i in asked.items if has_switch(i, CATALOGUE)]
    items = data.draw(st.sets(st.sampled_from(switched))) if switched else set()
    fields = {
        i.name: frozenset(data.draw(st.sets(st.sampled_from(switches))))
        for i in asked.items
        if (switches := field_switches(i, CATALOGUE))
    }
    chosen = Choices(frozenset(items), fields)
    terms = _terms_or_none(asked, chosen)
    if terms is None:
        return
    assert within(terms, asked)
    for wanted in asked.items:
        kept = terms.item(wanted.name)
        off = set(field_switches(wanted, CATALOGUE)) - fields.get(wanted.name, frozenset())
        if wanted.required:
            assert kept is not None
        if kept is not None:
            assert set(kept.fields) == set(wanted.fields) - off
            assert not has_switch(wanted, CATALOGUE) or wanted.name in items
    assert narrow(asked, chosen, catalogue=CATALOGUE) == terms


@settings(deadline=None)
@given(_asked(), st.data())
def test_restricting_twice_is_restricting_once(asked: Terms, data: st.DataObject) -> None:
    """Taking away what was taken away already changes nothing, and nothing outside can be named."""
    keep = {i.name: data.draw(st.sets(st.sampled_from(i.fields), min_size=1)) for i in asked.items}
    once = restrict(asked, keep)
    assert restrict(once, keep) == once
    assert within(once, asked)
    assert not within(asked, once) or once == asked
    with pytest.raises(ChoiceError):
        restrict(asked, {asked.items[0].name: {"no_such_field"}})
