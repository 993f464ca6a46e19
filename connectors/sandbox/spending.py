"""What moves money in a sandbox life: pay, rent, daily card payments, and the bills of the other sectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from random import Random

from connectors.sandbox import identifiers
from connectors.sandbox.banking import Movement
from connectors.sandbox.calendar import days, following, months
from connectors.sandbox.clinic import FEE, Visit
from connectors.sandbox.electricity import KST, Meter
from connectors.sandbox.lives import TelecomContract
from connectors.sandbox.shopping import PROCESSING, RETURNED, Order

SHOPS = (
    ("햇살마트", 6_000, 64_000), ("골목커피", 2_500, 9_800), ("시내버스", 1_500, 3_000),
    ("한솥밥식당", 8_000, 15_000), ("푸른약국", 3_000, 21_000), ("동네서점", 9_000, 32_000),
    ("가람주유소", 30_000, 80_000),
)  # fmt: skip
WON_PER_KWH = 214


def at(day: date, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """A Korean time of day."""
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=KST)


def income(rng: Random, kind: str, since: date, until: date) -> Iterator[Movement]:
    """Pay, pension or allowance once a month on a fixed day; a worker saves a part the day after."""
    if kind == "minor":
        memo, day, amount = "용돈", 1, 120_000
    elif kind == "pensioner":
        memo, day, amount = "국민연금", 25, rng.randrange(650, 1_400) * 1000
    else:
        memo, day, amount = "급여 (주)다온", 25, rng.randrange(2_400, 5_200) * 1000
    for month in months(since, until):
        if (paid := month.replace(day=day)) <= until:
            yield Movement(at(paid, 9, 0, 1), amount, memo)
            if kind == "worker" and (saved := paid + timedelta(days=1)) <= until:
                yield Movement(at(saved), -amount * 3 // 10_000 * 1000, "적금 자동이체")


def rent(rng: Random, since: date, until: date) -> Iterator[Movement]:
    """Rent by standing order at Korean midnight on the first: still the month before in UTC."""
    amount = rng.randrange(45, 90) * 10_000
    for month in months(since, until):
        yield Movement(at(month), -amount, "월세 자동이체")


def daily(rng: Random, since: date, until: date, each_day: float) -> Iterator[Movement]:
    """Card payments, `each_day` of them on average."""
    for day in days(since, until):
        for _ in range(int(each_day) + (rng.random() < each_day % 1)):
            shop, low, high = rng.choice(SHOPS)
            when = at(day, rng.randint(7, 22), rng.randrange(60), rng.randrange(60))
            yield Movement(when, -rng.randrange(low, high, 100), f"체크카드 {shop}")


def awkward_memos(rng: Random, number: int, since: date, until: date) -> Iterator[Movement]:
    """Transfers between friends whose memos hold telephone, account and resident-number shapes."""
    for index, month in enumerate(months(since, until)):
        other = number * 37 + index
        memo = (
            f"회비 {identifiers.telephone(other)} 총무",
            f"{identifiers.account(other)} 로 다시 보내주세요",
            f"계약서 {identifiers.resident_number(other, female=index % 2 == 0)} 확인",
            f"택배 연락 {identifiers.telephone(other).replace('-', '')}",
        )[index % 4]
        day = month.replace(day=rng.randint(2, 27))
        if day <= until:
            yield Movement(at(day, 20, rng.randrange(60)), -rng.randrange(10, 90) * 1000, memo)


def telephone_bills(contract: TelecomContract) -> Iterator[Movement]:
    """The payment of every telephone bill on its pay day, at Korean midnight; 0 won for a free month."""
    for bill in contract.bills:
        paid = date.fromisoformat(bill.charge_date)
        yield Movement(at(paid), -bill.charge_amt, f"누리텔레콤 {bill.charge_month}")


def electricity_bills(meter: Meter, since: date, until: date) -> Iterator[Movement]:
    """The bill of every whole month, on the 25th of the next one."""
    for month in months(since, until):
        if (paid := following(month).replace(day=25)) <= until:
            amount = meter.month_total(month.year, month.month) * WON_PER_KWH // 10_000 * 10
            yield Movement(at(paid, 3, 30), -amount, f"해오름에너지 {month:%Y%m}")


def shopping(orders: Iterable[Order]) -> Iterator[Movement]:
    """The payment of every order when it was placed, and the money back of every returned one."""
    for order in orders:
        if order.status == PROCESSING:
            yield Movement(order.placed, -order.total, f"다담마켓 {order.number}")
        elif order.status == RETURNED:
            yield Movement(order.modified, order.total, f"다담마켓 반품 {order.number}")


def hospital(visits: Sequence[Visit]) -> Iterator[Movement]:
    """The fee of every visit, paid half an hour later."""
    for visit in visits:
        yield Movement(visit.at + timedelta(minutes=30), -FEE, "새봄병원")
