"""Shopping of sandbox people: orders with their later versions (delivered, returned, put right)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from connectors.sandbox.calendar import days
from connectors.sandbox.electricity import KST

GOODS = (
    ("쌀 10kg", 32_900), ("우유 1L", 2_980), ("달걀 30구", 8_490), ("두루마리 휴지 30롤", 18_900),
    ("주방 세제", 5_900), ("사과 5kg", 27_800), ("삼겹살 600g", 17_400), ("생수 2L 12병", 9_600),
    ("라면 5개입", 4_180), ("아동 운동화", 39_000), ("비타민 D 90정", 14_500), ("LED 전구", 3_300),
    ("사은품 장바구니", 0), ("혈압계", 58_000), ("책: 살림의 기술", 16_200),
)  # fmt: skip
"""Things sold, with their price in won. One is free on purpose."""

PROCESSING, DELIVERED, RETURNED = "OrderProcessing", "OrderDelivered", "OrderReturned"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """So many of one thing at one price each, in won."""

    name: str
    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Order:
    """One version of one order. Versions of an order share `number`; the latest `modified` is true."""

    number: str
    placed: datetime
    modified: datetime
    status: str
    lines: tuple[OrderLine, ...]

    @property
    def total(self) -> int:
        """What was to be paid, in won."""
        return sum(line.price * line.quantity for line in self.lines)


@dataclass(frozen=True, slots=True)
class Habit:
    """How somebody shops: between two days, so many orders a day, a share of which goes back."""

    since: date
    until: date
    a_day: float
    returns: float


def orders(rng: Random, number: int, habit: Habit) -> tuple[Order, ...]:
    """Orders with every version of each, in order of `modified`; a returned order has a third version."""
    found = [
        version
        for index, placed in enumerate(_moments(rng, habit))
        for version in _versions(rng, f"D000{number:04d}{index:05d}", placed, habit.returns)
        if version.modified.date() <= habit.until
    ]
    return tuple(sorted(found, key=lambda order: (order.modified, order.number)))


def _moments(rng: Random, habit: Habit) -> Iterator[datetime]:
    for day in days(habit.since, habit.until):
        if rng.random() < habit.a_day:
            at = datetime(day.year, day.month, day.day, tzinfo=KST)
            yield at + timedelta(
                hours=rng.randint(8, 23), minutes=rng.randrange(60), seconds=rng.randrange(60)
            )


def _versions(rng: Random, number: str, placed: datetime, returns: float) -> Iterator[Order]:
    lines = tuple(
        OrderLine(name, price, rng.randint(1, 3)) for name, price in rng.sample(GOODS, rng.randint(1, 4))
    )
    order = Order(number, placed, placed, PROCESSING, lines)
    yield order
    delivered = replace(order, status=DELIVERED, modified=placed + timedelta(days=2, minutes=7))
    yield delivered
    if rng.random() < returns:
        yield replace(delivered, status=RETURNED, modified=placed + timedelta(days=6, minutes=19))
