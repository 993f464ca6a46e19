"""Reading authorization_details: what is understood, and the code of each refusal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from consent.details_shape import MAX_HOLDERS, MAX_ITEMS, objects, schema
from consent.errors import TermsError
from consent.terms import ClientInfo, parse_details, to_details
from gateway.errors import Problem
from tests.unit.consent.household import (
    CATALOGUE,
    CLIENT,
    HOLDERS,
    TODAY,
    bank,
    details,
    item,
    of_holder,
    parsed,
)

Request = list[Any]


def _bent(**members: Any) -> Callable[[], Request]:
    """The bank's object with a member of its own changed."""
    return lambda: [bank() | members]


def _item(**members: Any) -> Callable[[], Request]:
    return lambda: [bank(**members)]


def _without(member: str) -> Callable[[], Request]:
    return lambda: [{name: value for name, value in bank().items() if name != member}]


def _two(**members: Any) -> Callable[[], Request]:
    return lambda: [bank(), of_holder("dadam-market", item("retail.orders", "orderDate")) | members]


_DEPOSITS = item("finance.deposit-transactions", "trans_amt")
REFUSALS: list[tuple[str, Callable[[], Any]]] = [
    ("details_malformed", dict),
    ("details_malformed", list),
    ("details_malformed", lambda: "x"),
    ("details_malformed", lambda: [7]),
    ("details_malformed", _bent(items=[])),
    ("details_malformed", _bent(items={})),
    ("details_malformed", _bent(items=["x"])),
    ("details_malformed", _bent(retention="90 days")),
    ("details_malformed", _bent(retention="P0D")),
    ("details_malformed", _bent(start="22/11/2026")),
    ("details_malformed", _bent(start="20261122")),
    ("details_malformed", _bent(end="2027-02-30")),
    ("details_malformed", _item(fields=[])),
    ("details_malformed", _item(fields=[1])),
    ("details_malformed", _item(fields="trans_amt")),
    ("details_malformed", _item(required=1)),
    ("details_malformed", _item(history_from="yesterday")),
    ("details_type_unknown", _bent(type="payment_initiation")),
    ("details_type_unknown", _without("type")),
    ("details_member_unknown", _bent(locations=["https://elsewhere.example"])),
    ("details_member_unknown", _item(account="1")),
    ("details_member_missing", _without("holder")),
    (
        "details_member_missing",
        lambda: [of_holder("hanbit-bank", {"dataset": "finance.deposit-transactions"})],
    ),
    ("details_not_shared", _two(end="2027-05-20")),
    ("details_not_shared", _two(purpose="health-coaching")),
    ("details_not_shared", _two(retention="P91D")),
    ("purpose_unknown", _bent(purpose="anything")),
    ("purpose_not_allowed", _bent(purpose="health-coaching")),
    ("holder_unknown", _bent(holder="no-such-bank")),
    ("duplicate_holder", lambda: [bank(), bank()]),
    ("duplicate_item", lambda: [of_holder("hanbit-bank", _DEPOSITS, _DEPOSITS)]),
    ("duplicate_field", _item(fields=["trans_amt", "trans_amt"])),
    ("too_many_items", lambda: [bank()] * 21),
    ("too_many_items", lambda: [of_holder("hanbit-bank", *[_DEPOSITS] * 51)]),
    ("item_not_in_catalogue", _item(dataset="finance.everything")),
    ("dataset_not_of_holder", _item(dataset="telecom.bills", fields=["charge_amt"])),
    ("field_not_in_catalogue", _item(fields=["password"])),
    ("field_suppressed", lambda: [of_holder("dadam-market", item("retail.orders", "customer"))]),
    ("frequency_invalid", _item(frequency="P32D")),
    ("frequency_invalid", _item(frequency="P0D")),
    ("frequency_invalid", _item(frequency="PT1H")),
    ("frequency_invalid", _item(frequency="ONCE")),
    ("start_in_past", _bent(start="2026-11-20")),
    ("start_too_far", _bent(start="2028-01-01", end="2028-02-01")),
    ("start_too_far", _bent(start="9999-12-30", end="9999-12-31")),
    ("end_before_start", _bent(start="2026-11-23", end="2026-11-22")),
    ("end_in_past", _bent(start="2026-11-21", end="2026-11-21")),
    ("period_too_long", _bent(end="2027-11-23")),
    ("retention_too_long", _bent(retention="P367D")),
    ("history_too_long", _item(history_from="2021-11-21")),
    ("history_in_future", _item(history_from="2026-11-24")),
]


@pytest.mark.parametrize(
    ("code", "request_"), REFUSALS, ids=[f"{n}-{c}" for n, (c, _) in enumerate(REFUSALS)]
)
def test_each_refusal_has_its_code(code: str, request_: Callable[[], Any]) -> None:
    """A request that cannot be put before a citizen is refused by a stable code."""
    with pytest.raises(TermsError) as caught:
        parsed(request_())
    assert caught.value.code == code
    assert str(caught.value.params["where"]).startswith(("[0]", "[1]", "authorization_details"))


@pytest.mark.parametrize("code", sorted({code for code, _ in REFUSALS}))
def test_each_refusal_is_an_oauth_error_with_words(code: str) -> None:
    """Every code answers invalid_authorization_details at an OAuth door, with a text in both languages."""
    problem = Problem(code)
    assert problem.oauth_error == "invalid_authorization_details"
    assert problem.status == 400
    assert problem.title("ko").strip()
    assert problem.title("en").strip()


def test_a_refusal_names_what_is_wrong() -> None:
    """The text of a refusal is filled from its public parameters, with none left open."""
    for _, request in REFUSALS:
        with pytest.raises(TermsError) as caught:
            parsed(request())
        problem = Problem.of(caught.value)
        for title in (problem.title("ko"), problem.title("en")):
            assert "{" not in title
            assert " - " not in title.replace("({", "")


def test_the_same_details_come_back() -> None:
    """Terms written as authorization_details are what the client sent, members and order alike."""
    assert to_details(parsed(details())) == details()


def test_limits_themselves_are_allowed() -> None:
    """The last allowed day, the longest look back and the longest retention are not refused."""
    request = [bank(history_from="2021-11-22") | {"end": "2027-11-22", "retention": "P1Y"}]
    terms = parsed(request)
    assert terms.end == date(2027, 11, 22)
    assert terms.end_at - terms.start_at == 366 * 86_400


def test_yesterday_is_an_allowed_start() -> None:
    """A request made just before midnight is still good just after it."""
    assert parsed([bank() | {"start": "2026-11-21"}]).start == TODAY - timedelta(days=1)


def test_a_holder_outside_the_consortium_is_refused() -> None:
    """A client whose consortium names holders may ask those only."""
    client = ClientInfo(CLIENT.id, CLIENT.purposes, holders=frozenset({"dadam-market"}))
    with pytest.raises(TermsError) as caught:
        parsed(details(), client)
    assert caught.value.code == "holder_not_in_consortium"


def test_a_purpose_stays_in_its_sectors() -> None:
    """Health coaching may not ask a bank for anything."""
    client = ClientInfo(CLIENT.id, frozenset({"health-coaching"}))
    with pytest.raises(TermsError) as caught:
        parsed([bank() | {"purpose": "health-coaching"}], client)
    assert caught.value.code == "purpose_not_for_sector"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(_JSON)
def test_any_json_is_refused_by_code(value: object) -> None:
    """No JSON value makes reading fail in any other way than by a code."""
    with pytest.raises(TermsError):
        parse_details(value, catalogue=CATALOGUE, holders=HOLDERS, client=CLIENT, today=TODAY)


@settings(deadline=None)
@given(st.sampled_from(sorted(bank())), st.sampled_from([*sorted(bank()["items"][0]), ""]), _JSON)
def test_any_member_bent_is_read_or_refused(member: str, inner: str, value: Any) -> None:
    """Whatever stands in any one member, the answer is terms that write back the same, or a code."""
    request = bank()
    if inner and member == "items":
        request["items"][0][inner] = value
    else:
        request[member] = value
    try:
        terms = parsed([request])
    except TermsError:
        return
    assert to_details(terms) == [request]


_MEMBERS = st.sampled_from(["type", "items", "holder", "fields", "x"])
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(_MEMBERS, inner),
)


def test_the_shape_is_the_schemas() -> None:
    """The published JSON schema is the one that reads requests, and it is one (draft 2020-12)."""
    Draft202012Validator.check_schema(schema())
    assert Draft202012Validator(schema()).is_valid(details())
    assert schema()["maxItems"] == MAX_HOLDERS
    assert schema()["items"]["properties"]["items"]["maxItems"] == MAX_ITEMS


@settings(max_examples=100, deadline=None)
@given(ANY)
def test_any_json_is_read_or_refused_with_its_place(value: Any) -> None:
    """Whatever JSON comes: the objects as they were, or one TermsError that says where."""
    try:
        found: Any = objects(value)
    except TermsError as error:
        found = error.params["where"] and value
    assert found is value
