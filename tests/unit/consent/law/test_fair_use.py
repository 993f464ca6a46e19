"""The fair-use table at the door: the strictest limit of each item, named, or nothing said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from consent.errors import CatalogueError, TermsError
from consent.items import Item, Terms
from consent.law.fair_use import COUNTED_DAYS, FairUse, Rule, Window, fair_use, read_rules

TODAY = date(2026, 11, 22)
BANK = Item("hanbit-bank", "finance.deposit-transactions", ("trans_amt",), True, "P7D", TODAY)
PHONE = Item("nuri-telecom", "telecom.bills", ("charge_amt",), False, "once", TODAY)


def terms(*items: Item, purpose: str = "loan-review", days: int = 30) -> Terms:
    """Terms from today for so many days."""
    return Terms(purpose, TODAY, TODAY + timedelta(days=days), "P30D", items)


def rule(purpose: str = "*", data: str = "*", fetch: str = "*", **limits: int) -> Rule:
    """A row with these limits."""
    return Rule(purpose, fetch, data, (Window(30, 9),), date(2011, 9, 30), "a test", **limits)  # type: ignore[arg-type]


def refused(table: FairUse, asked: Terms) -> dict[str, object]:
    """What the refusal of `asked` names."""
    with pytest.raises(TermsError) as caught:
        table.check(asked, TODAY)
    assert caught.value.code == "fair_use_exceeded"
    return dict(caught.value.params)


def back(item: Item, days: int) -> Item:
    """`item`, reaching so many days back."""
    return replace(item, history_from=TODAY - timedelta(days=days))


def test_row_6_several_types_get_the_strictest_limit_of_each_never_the_widest() -> None:
    """One row says 400 days for the bank, one 100 for all: the bank gets 100, whatever others get."""
    table = FairUse((rule(data="finance", range=400), rule(range=100), rule(data="telecom", range=900)))
    assert refused(table, terms(back(PHONE, 100), back(BANK, 101)))["where"] == BANK.name
    assert refused(table, terms(back(PHONE, 101), back(BANK, 100)))["where"] == PHONE.name
    table.check(terms(back(PHONE, 100), back(BANK, 100)), TODAY)
    assert table.limit("range", "loan-review", BANK, TODAY) == 100


@pytest.mark.parametrize(
    ("attribute", "asked", "days"),
    [
        ("expiry", terms(BANK, days=31), 31),
        ("range", terms(back(BANK, 31)), 31),
        ("request", terms(back(BANK, 31)), 31),
    ],
)
def test_the_attribute_its_limit_and_what_was_asked_are_named(
    attribute: str, asked: Terms, days: int
) -> None:
    """The refusal says which limit, which item, how much, for which purpose."""
    assert refused(FairUse((structs.replace(rule(), **{attribute: 30}),)), asked) == {
        "where": asked.items[0].name,
        "attribute": attribute,
        "limit_days": 30,
        "asked_days": days,
        "purpose": "loan-review",
    }


def test_the_last_day_of_a_limit_is_within_it() -> None:
    """Exactly the limit is fair; another purpose's, another fetch's, a later row's limit is not ours."""
    FairUse((rule(expiry=30, range=30, request=30),)).check(terms(back(BANK, 30)), TODAY)
    later = structs.replace(rule(range=1), begins=TODAY + timedelta(days=1))
    FairUse((rule(purpose="another", range=1), rule(fetch="once", range=1), later)).check(
        terms(back(BANK, 500)), TODAY
    )


def test_a_consent_that_begins_later_is_measured_from_then() -> None:
    """A request that can only be made from the start reaches back from there."""
    start = TODAY + timedelta(days=40)
    asked = replace(terms(BANK), start=start, end=start)
    assert refused(FairUse((rule(request=30),)), asked)["asked_days"] == 40


def test_the_shipped_table_holds_a_loan_review_to_a_month() -> None:
    """Template 103: a month, fourteen months back, once; 104: half a year back; 105: one day."""
    table = fair_use()
    table.check(terms(back(PHONE, 427), days=30), TODAY - timedelta(days=0))
    assert refused(table, terms(PHONE, days=32))["limit_days"] == 31
    assert refused(table, terms(back(BANK, 184), purpose="loan-monitoring"))["attribute"] == "range"
    check = replace(BANK, frequency="once")
    assert refused(table, terms(check, purpose="account-check", days=2))["attribute"] == "expiry"
    assert (
        table.limit("life", "household-finance", replace(BANK, dataset="medical.observations"), TODAY) == 180
    )


def test_how_often_is_counted_and_never_a_rate() -> None:
    """Windows are whole numbers over counted days; a request is never refused for them."""
    assert {window.days for row in fair_use().rules for window in row.windows} <= set(COUNTED_DAYS)
    FairUse((rule(),)).check(terms(replace(BANK, frequency="P1D")), TODAY)


ROW = "purpose: x, data: x, from: 2026-01-01, source: y"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("rules: [{purpose: x}]", "missing required field"),
        ("rules: 5", "Expected `array`"),
        ("other: []", "unknown field"),
        (f"rules: [{{{ROW}, fetch: daily, windows: []}}]", "Invalid enum"),
        (f"rules: [{{{ROW}, fetch: once, windows: [], life: 0}}]", "at least 1"),
        (f"rules: [{{{ROW}, fetch: once, windows: [{{days: 30, times: 0}}]}}]", "at least 1"),
        (f"rules: [{{{ROW}, fetch: once, windows: [{{days: 7, times: 1}}]}}]", "not counted"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path: Path, text: str, what: str) -> None:
    """The file and what is wrong are named."""
    (tmp_path / "table.yaml").write_text(text)
    with pytest.raises(CatalogueError) as caught:
        read_rules(tmp_path / "table.yaml")
    assert caught.value.params["where"] == "table.yaml"
    assert what in str(caught.value.params["what"])
