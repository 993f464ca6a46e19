"""The sandbox people: the same every time, coherent across sectors, nobody real, nobody twice."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox import identifiers
from connectors.sandbox.electricity import KST
from connectors.sandbox.people import Citizen, people
from connectors.sandbox.shopping import RETURNED

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def everybody() -> list[Citizen]:
    """Twelve people, made once."""
    return people(2026, today=TODAY)


def _paid(person: Citizen, memo: str) -> list[tuple[str, int]]:
    return [
        (line.trans_type, int(line.trans_amt))
        for account in person.accounts
        for line in account.transactions
        if line.trans_memo == memo
    ]


def _with(everybody: list[Citizen], trait: str) -> Citizen:
    return next(person for person in everybody if trait in person.traits)


def test_same_seed_same_people(everybody: list[Citizen]) -> None:
    """The same seed, count and day give equal people in every detail."""
    assert people(2026, today=TODAY) == everybody


def test_other_seed_other_people(everybody: list[Citizen]) -> None:
    """Another seed gives nobody's identifier again."""
    assert not {p.id for p in everybody} & {p.id for p in people(2027, today=TODAY)}


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**40))
def test_no_identifier_is_shared(seed: int) -> None:
    """No two people of any seed share an identifier of any kind."""
    found = people(seed, 14, today=TODAY)
    for kind in (
        [p.id for p in found],
        [p.handle for p in found],
        [p.phone for p in found],
        [p.resident_number for p in found],
        [a.account_num for p in found for a in p.accounts],
        [c.mgmt_id for p in found for c in p.contracts],
        [m.number for p in found for m in p.meters],
        [f"{o.number} {o.modified}" for p in found for o in p.orders],
        [o.id for p in found for o in p.observations],
    ):
        assert len(kind) == len(set(kind))


def test_bank_paid_every_telephone_bill(everybody: list[Citizen]) -> None:
    """Each bill is one withdrawal of the same amount on its pay day at Korean midnight."""
    bills = 0
    for person in everybody:
        for contract in person.contracts:
            for bill in contract.bills:
                assert _paid(person, f"누리텔레콤 {bill.charge_month}") == [("02", bill.charge_amt)]
                lines = person.accounts[0].transactions
                assert any(line.trans_dtime == f"{bill.charge_date}000000" for line in lines)
                bills += 1
    assert bills > 100


def test_bank_paid_every_order(everybody: list[Citizen]) -> None:
    """Each order is paid once in full, and each returned one is paid back once."""
    for person in everybody:
        for order in person.orders:
            assert _paid(person, f"다담마켓 {order.number}") == [("02", order.total)]
            back = [("03" if order.total else "02", order.total)] if order.status == RETURNED else []
            assert not back or _paid(person, f"다담마켓 반품 {order.number}") == back


def test_bank_paid_visits_and_electricity(everybody: list[Citizen]) -> None:
    """Each visit has its fee in the account and each whole month its electricity bill."""
    for person in everybody:
        assert len(_paid(person, "새봄병원")) == len(person.visits)
        for meter in person.meters:
            used = meter.month_total(2026, 8)
            assert _paid(person, "해오름에너지 202608") == [("02", used * 214 // 10_000 * 10)]


def test_balances_add_up(everybody: list[Citizen]) -> None:
    """Every balance follows from the one before; none is below zero; times never go back."""
    for account in (account for person in everybody for account in person.accounts):
        before = None
        for line in account.transactions:
            change = line.trans_amt if line.trans_type == "03" else -line.trans_amt
            assert before is None or line.balance_amt == before.balance_amt + change
            assert before is None or line.trans_dtime >= before.trans_dtime
            assert line.balance_amt >= 0
            before = line


def test_nothing_lies_in_the_future(everybody: list[Citizen]) -> None:
    """Lives end the day before the given day."""
    today = TODAY.strftime("%Y%m%d")
    midnight = datetime(2026, 11, 22, tzinfo=KST)
    for person in everybody:
        assert all(line.trans_dtime < today for a in person.accounts for line in a.transactions)
        assert all(order.modified < midnight for order in person.orders)
        assert all(result.updated < midnight for result in person.observations)


def test_electricity_follows_hour_and_season(everybody: list[Citizen]) -> None:
    """Evenings use more than nights, August more than May, and each day has 24 hours of Korean time."""
    meter = everybody[0].meters[0]
    days = [meter.day(date(2026, 5, 1) + timedelta(days=n)) for n in range(28)]
    assert all(len(day) == 24 and day[0].start.isoformat().endswith("T00:00:00+09:00") for day in days)
    assert sum(day[20].watt_hours for day in days) > 2 * sum(day[3].watt_hours for day in days)
    assert meter.month_total(2026, 8) > 1.2 * meter.month_total(2026, 5)


@pytest.mark.parametrize("day", [date(2020, 1, 1), TODAY])
def test_no_readings_outside_the_contract(everybody: list[Citizen], day: date) -> None:
    """A meter has nothing before it was installed and nothing from today on."""
    assert everybody[0].meters[0].day(day) == ()


def test_awkward_people_are_there(everybody: list[Citizen]) -> None:
    """No records, thousands of rows, a minor without a meter, two of one name, five odd names."""
    empty = _with(everybody, "empty")
    assert not any((empty.accounts, empty.contracts, empty.meters, empty.orders, empty.observations))
    assert all(empty.knows(sector) for sector in ("finance", "telecom", "energy", "retail", "medical"))
    assert len(_with(everybody, "long-history").accounts[0].transactions) > 3000
    minor = _with(everybody, "minor")
    assert minor.age(TODAY) == 15
    assert not minor.knows("energy")
    assert _with(everybody, "namesake").name == everybody[0].name
    assert {len(_with(everybody, "very-long").name), len(_with(everybody, "one-syllable").name)} == {20, 3}
    assert "-" in _with(everybody, "hyphen").name


def test_awkward_records_are_there(everybody: list[Citizen]) -> None:
    """Memos with numbers, amounts of 0, refunds, and later versions of orders and results."""
    memos = " ".join(line.trans_memo for line in everybody[0].accounts[0].transactions)
    assert re.search(r"010-0000-\d{4}", memos)
    assert re.search(r"000-\d{3}-\d{6}", memos)
    assert re.search(r"\d{6}-[34]\d{6}", memos)
    refunds = _with(everybody, "refunds")
    assert refunds.contracts[0].bills[0].charge_amt == 0
    assert any(paid.trans_amt < 0 for paid in refunds.contracts[0].paid)
    assert any(order.status == RETURNED for order in refunds.orders)
    assert any(result.version == 2 for person in everybody for result in person.observations)


@given(st.integers(0, 10**9), st.booleans())
def test_resident_numbers_are_nobodys(number: int, female: bool) -> None:
    """Every resident number has a right check digit and a birth date in the 2090s."""
    shaped = identifiers.resident_number(number, female=female)
    digits = shaped.replace("-", "")
    assert date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:6])) >= date(2090, 1, 1)
    assert digits[6] in "34"
    total = sum(w * int(d) for w, d in zip(identifiers.RRN_WEIGHTS, digits[:12], strict=True))
    assert (11 - total % 11) % 10 == int(digits[12])


@given(st.integers(0, 10**9))
def test_telephone_numbers_are_nobodys(number: int) -> None:
    """Every telephone number lies in 010-0000."""
    assert re.fullmatch(r"010-0000-\d{4}", identifiers.telephone(number))


def test_late_hours_are_estimated_first(everybody: list[Citizen]) -> None:
    """A meter out of reach is estimated the next morning and put right three days later."""
    meter = everybody[1].meters[0]
    final = next(
        readings
        for offset in range(10, 400)
        if (readings := meter.day(TODAY - timedelta(days=offset)))[0].quality == 17
    )
    day, published = final[0].start.date(), final[0].published
    assert meter.known(day, published) == final
    early = meter.known(day, published - timedelta(minutes=1))
    assert {reading.quality for reading in early} == {8}
    assert [reading.start for reading in early] == [reading.start for reading in final]
    assert meter.known(day, published - timedelta(days=3, minutes=1)) == ()
