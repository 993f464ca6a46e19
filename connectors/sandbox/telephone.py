"""The telephone of a sandbox person: a contract, a bill a month, and small payments through the bill."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from connectors.sandbox import identifiers
from connectors.sandbox.calendar import months
from connectors.sandbox.lives import PaidTransaction, TelecomBill, TelecomContract

PLANS = (19_800, 33_000, 45_000, 59_000, 69_000)
SHOPS = (
    ("가온게임즈", "게임 아이템", 3_300),
    ("소리샘뮤직", "음악 이용권 1개월", 8_900),
    ("바로웹툰", "코인 50개", 5_000),
    ("달빛극장", "영화 예매", 14_000),
)
PAY_DAY = 20


def contract(
    rng: Random, number: int, phone: str, since: date, until: date, *, free_month: bool
) -> TelecomContract:
    """A contract with every bill whose pay day lies between two days, and what was bought through them.

    With `free_month` the first bill is 0 won and one purchase is refunded.
    """
    plan = rng.choice(PLANS)
    paid: list[PaidTransaction] = []
    bills: list[TelecomBill] = []
    for month in months(since, until):
        bought = _bought(rng, month, refund=free_month and not bills)
        due = (month.replace(day=28) + timedelta(days=4)).replace(day=PAY_DAY)
        if due > until:
            # A month not billed yet already shows what was bought so far.
            paid += [purchase for purchase in bought if purchase.trans_date <= until.strftime("%Y%m%d")]
            continue
        paid += bought
        amount = 0 if free_month and not bills else plan + sum(purchase.trans_amt for purchase in bought)
        bills.append(TelecomBill(month.strftime("%Y%m"), due.strftime("%Y%m%d"), amount))
    return TelecomContract(identifiers.subscription(number), phone, bills=tuple(bills), paid=tuple(paid))


def _bought(rng: Random, month: date, *, refund: bool) -> list[PaidTransaction]:
    found = []
    for _ in range(rng.choice((0, 0, 1, 2))):
        merchant, title, price = rng.choice(SHOPS)
        day = month.replace(day=rng.randint(1, 28)).strftime("%Y%m%d")
        found.append(PaidTransaction(day, price, merchant, title))
    if refund:
        day = month.replace(day=28).strftime("%Y%m%d")
        found += [
            PaidTransaction(day, 5_000, "바로웹툰", "코인 50개"),
            PaidTransaction(day, -5_000, "바로웹툰", "코인 50개 환불"),
        ]
    return sorted(found, key=lambda purchase: purchase.trans_date)
