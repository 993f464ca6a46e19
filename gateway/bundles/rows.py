"""Which rows of a dataset leave: those of the accounts the citizen chose, of the kinds and amounts agreed.

The fields that decide are read from every row for that alone, granted or not, and never kept. A row that does
not say what it must say does not leave: nobody can tell that it was meant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

ACCOUNT = "account_not_chosen"
KIND = "kind_not_chosen"
AMOUNT = "amount_not_chosen"

Judge = Callable[[bytes], str | None]
"""Why a row (a JSON object) does not leave; None when it does. Raises msgspec.MsgspecError for no object."""


@dataclass(frozen=True, slots=True)
class RowRule:
    """What rows must be. `account`, `kind` and `amount` are the fields that say it; None: any row will do.

    `accounts` are references, which `refer` makes of an account as the row names it. Bounds are included.
    """

    account: str | None = None
    accounts: frozenset[str] = frozenset()
    refer: Callable[[str], str] = field(default=str, compare=False)
    kind: str | None = None
    kinds: frozenset[str] = frozenset()
    amount: str | None = None
    least: int | None = None
    most: int | None = None

    @property
    def any(self) -> bool:
        """Whether every row leaves."""
        return self.account is None and self.kind is None and self.amount is None


def judge(rule: RowRule) -> Judge | None:
    """The judge of `rule`; None when every row leaves."""
    if rule.any:
        return None
    members = {"account": rule.account, "kind": rule.kind, "amount": rule.amount}
    fields = [(name, Any, None) for name, wire in members.items() if wire]
    rename = {name: wire for name, wire in members.items() if wire}
    read = msgspec.json.Decoder(msgspec.defstruct("Row", fields, rename=rename, gc=False)).decode
    known: dict[str, bool] = {}

    def chosen(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, str | int):
            return False
        name = str(value)
        if name not in known:
            known[name] = rule.refer(name) in rule.accounts
        return known[name]

    def judged(record: bytes) -> str | None:
        row: Any = read(record)
        if rule.account and not chosen(row.account):
            return ACCOUNT
        if rule.kind and not (isinstance(row.kind, str | int) and str(row.kind) in rule.kinds):
            return KIND
        if rule.amount and not _between(row.amount, rule.least, rule.most):
            return AMOUNT
        return None

    return judged


def _between(value: object, least: int | None, most: int | None) -> bool:
    """Whether an amount, a number or its text, lies within the bounds."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return False
    return amount.is_finite() and (least is None or amount >= least) and (most is None or amount <= most)
