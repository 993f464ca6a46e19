"""Two requests under one consent, and less of one: what is new, what both are, what may be left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.choices import restrict, within
from consent.errors import TermsError
from consent.items import Item, Terms, from_details, to_details
from consent.merging import asks_more, fresh, longer, merged
from consent.narrower import narrower
from tests.unit.consent.household import BANK, MARKET, details, parsed

WHOLE = parsed(details())
DAY = timedelta(days=1)
BANK_ONLY = restrict(WHOLE, {BANK: WHOLE.items[0].fields})


def bent(terms: Terms, name: str, **members: Any) -> Terms:
    """The terms with members of one item changed."""
    items = tuple(replace(one, **members) if one.name == name else one for one in terms.items)
    return replace(terms, items=items)


def item(terms: Terms, name: str) -> Item:
    """One item that is there."""
    found = terms.item(name)
    assert found is not None
    return found


def test_nothing_is_new_in_what_is_agreed() -> None:
    """The same request again, or less of it, asks nothing."""
    assert fresh(WHOLE, WHOLE) == ()
    assert fresh(BANK_ONLY, WHOLE) == ()
    assert not asks_more(BANK_ONLY, WHOLE)
    assert merged(WHOLE, BANK_ONLY, ()) == WHOLE


def test_a_new_item_comes_whole() -> None:
    """It is asked as the client wants it, and stands behind what stood before."""
    assert {one.name for one in fresh(WHOLE, BANK_ONLY)} == {one.name for one in WHOLE.items[1:]}
    both = merged(BANK_ONLY, WHOLE, [item(WHOLE, MARKET)])
    assert [one.name for one in both.items] == [BANK, MARKET]


def test_new_fields_come_alone_and_are_not_needed() -> None:
    """The item goes on without them, even if it is needed itself."""
    fields = item(WHOLE, BANK).fields
    less = restrict(WHOLE, {BANK: fields[:1]})
    (one,) = fresh(BANK_ONLY, less)
    assert (one.fields, one.required) == (fields[1:], False)
    both = item(merged(less, BANK_ONLY, [one]), BANK)
    assert (both.fields, both.required) == (fields, item(WHOLE, BANK).required)


@pytest.mark.parametrize("wider", [{"frequency": "P1D"}, {"history_from": WHOLE.items[0].history_from - DAY}])
def test_more_often_or_further_back_is_chosen_anew(wider: dict[str, Any]) -> None:
    """The item comes whole, and what was agreed stays unless the wider one is chosen."""
    asked = bent(WHOLE, BANK, **wider)
    assert [one.name for one in fresh(asked, WHOLE)] == [BANK]
    assert merged(WHOLE, asked, ()) == WHOLE
    (name,) = wider
    assert getattr(item(merged(WHOLE, asked, fresh(asked, WHOLE)), BANK), name) == wider[name]


@pytest.mark.parametrize(
    "member",
    [
        {"end": WHOLE.end + timedelta(days=1)},
        {"retention": "P91D"},
        {"start": WHOLE.start - timedelta(days=1)},
    ],
    ids=["end", "retention", "start"],
)
def test_longer_is_more(member: dict[str, Any]) -> None:
    """A later end, a longer retention or an earlier start has to be asked, though no item is new."""
    asked = replace(WHOLE, **member)
    assert longer(asked, WHOLE)
    assert asks_more(asked, WHOLE)
    assert not longer(WHOLE, asked)
    assert merged(WHOLE, asked, ()) == asked


def test_another_purpose_is_another_consent() -> None:
    """Never merged; the refusal names the member and the purpose that would do."""
    with pytest.raises(TermsError) as caught:
        merged(WHOLE, replace(WHOLE, purpose="health-coaching"), ())
    assert caught.value.code == "merge_purpose_differs"
    assert caught.value.params == {"where": "[0].purpose", "purpose": WHOLE.purpose}


@st.composite
def parts(draw: st.DrawFn) -> Terms:
    """Some items of the whole, some fields of each."""
    keep = {}
    for one in WHOLE.items:
        if fields := draw(st.lists(st.sampled_from(one.fields), unique=True)):
            keep[one.name] = tuple(fields)
    return restrict(WHOLE, keep or {BANK: WHOLE.items[0].fields[:1]})


@settings(max_examples=150, deadline=None)
@given(parts(), parts())
def test_the_union_holds_both_and_nothing_else(first: Terms, second: Terms) -> None:
    """Whatever was agreed stays agreed; all that is new was asked; storing it changes nothing."""
    both = merged(first, second, fresh(second, first))
    allowed = {one.name: set(one.fields) for one in both.items}
    for terms in (first, second):
        assert all(set(one.fields) <= allowed[one.name] for one in terms.items)
    for one in both.items:
        known = [set(found.fields) for terms in (first, second) if (found := terms.item(one.name))]
        assert set(one.fields) == set().union(*known)
    assert not asks_more(second, both)
    assert from_details(to_details(both)) == both


@settings(max_examples=150, deadline=None)
@given(parts(), parts())
def test_less_is_given_and_more_is_not(granted: Terms, asked: Terms) -> None:
    """Within what was granted: exactly that part. Anything beyond: refused with its place."""
    inside = all(
        (found := granted.item(one.name)) and set(one.fields) <= set(found.fields) for one in asked.items
    )
    if inside:
        got = from_details(narrower(to_details(asked), to_details(granted)))
        assert within(got, granted)
        assert {one.name: set(one.fields) for one in got.items} == {
            one.name: set(one.fields) for one in asked.items
        }
        return
    with pytest.raises(TermsError) as caught:
        narrower(to_details(asked), to_details(granted))
    assert caught.value.code == "details_widened"
    assert str(caught.value.params["where"]).startswith("[")


@pytest.mark.parametrize(
    ("member", "value"),
    [("end", "2030-01-01"), ("retention", "P1D"), ("purpose", "health-coaching"), ("holder", "no-such-bank")],
)
def test_only_items_and_fields_may_be_less(member: str, value: str) -> None:
    """Everything else stays as granted; the refusal names the member."""
    asked = to_details(BANK_ONLY)
    asked[0][member] = value
    with pytest.raises(TermsError) as caught:
        narrower(asked, to_details(WHOLE))
    assert caught.value.params["where"] == f"[0].{member}"
