"""The bank account of a sandbox person: every movement of their life in one row of lines with a balance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate

from connectors.sandbox import identifiers
from connectors.sandbox.lives import DepositAccount, DepositTransaction

PRODUCT = "한빛 모두의 통장"
WITHDRAWAL, DEPOSIT = "02", "03"


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that comes in (positive) or goes out (negative), in won, at a Korean time, with a memo."""

    at: datetime
    amount: int
    memo: str


def account(number: int, movements: Iterable[Movement]) -> DepositAccount:
    """The account that holds these movements, oldest first, with a balance that is never below zero.

    A line of 0 won counts as a withdrawal: nothing came in.
    """
    ordered = sorted(movements, key=lambda movement: (movement.at, movement.memo))
    running = list(accumulate(movement.amount for movement in ordered))
    opening = max(0, -min(running, default=0)) + 50_000
    lines = tuple(
        DepositTransaction(
            trans_no=f"{number % 10_000:04d}{index:08d}",
            trans_dtime=movement.at.strftime("%Y%m%d%H%M%S"),
            trans_type=DEPOSIT if movement.amount > 0 else WITHDRAWAL,
            trans_class=movement.memo.split(" ")[0][:10],
            trans_amt=Decimal(abs(movement.amount)),
            balance_amt=Decimal(opening + balance),
            trans_memo=movement.memo,
        )
        for index, (movement, balance) in enumerate(zip(ordered, running, strict=True), start=1)
    )
    return DepositAccount(identifiers.account(number), PRODUCT, transactions=lines)
