"""A person with more than one account everywhere: what there is to choose from on a consent page.

At the bank a savings account, one that is closed and one the person left out there; a second telephone line;
a second meter. Their records agree with nothing else in the person's life.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from connectors.sandbox import identifiers
from connectors.sandbox.banking import Movement, account
from connectors.sandbox.electricity import Meter
from connectors.sandbox.lives import Person, TelecomBill, TelecomContract

SAVINGS, CLOSED, LEFT_OUT, SECOND = 500_000, 510_000, 520_000, 500_000
MONTHS = 6
AnyPerson = TypeVar("AnyPerson", bound=Person)


def with_more(person: AnyPerson, number: int, until: date) -> AnyPerson:
    """`person` with further accounts, lines and meters whose records end on the day `until`."""
    days = [until - timedelta(days=30 * month) for month in range(MONTHS)]
    saved = [Movement(datetime.combine(day, time(9)), 300_000, "자동 저축") for day in days]
    savings = replace(account(number + SAVINGS, saved), prod_name="한빛 차곡차곡 적금")
    closed = replace(account(number + CLOSED, ()), prod_name="한빛 옛 통장", account_status="02")
    left_out = replace(account(number + LEFT_OUT, ()), prod_name="한빛 비상금 통장", is_consent=False)
    bills = tuple(TelecomBill(f"{day:%Y%m}", f"{day:%Y%m%d}", 22_000) for day in reversed(days))
    line = TelecomContract(
        identifiers.subscription(number + SECOND),
        identifiers.telephone(number + 7000),
        type="02",
        bills=bills,
    )
    meter = Meter(identifiers.meter(number + SECOND), number, 120, until - timedelta(days=30 * MONTHS), until)
    return replace(
        person,
        accounts=(*person.accounts, savings, closed, left_out),
        contracts=(*person.contracts, line),
        meters=(*person.meters, meter),
    )
