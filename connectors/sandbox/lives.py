"""What holders know about a person: the raw lives the sandbox serves. Names as on the wire of the sector.

The generator (`connectors.sandbox.people`) fills these; a holder's server only reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class DepositTransaction:
    """One movement on a deposit account. `trans_dtime` is YYYYMMDDhhmmss in Korean time.

    `trans_type`: "01" opening, "02" withdrawal, "03" deposit, "04" correction. Amounts are in the account's
    currency and never negative; `trans_no` is unique within the account; `trans_memo` is free text.
    """

    trans_no: str
    trans_dtime: str
    trans_type: str
    trans_class: str
    trans_amt: Decimal
    balance_amt: Decimal
    trans_memo: str = ""


@dataclass(frozen=True, slots=True)
class DepositAccount:
    """A deposit account. `is_consent` false: the person left it out at the bank, so it is listed only."""

    account_num: str
    prod_name: str
    seqno: str = "01"
    currency_code: str = "KRW"
    account_type: str = "1001"
    account_status: str = "01"
    is_consent: bool = True
    transactions: tuple[DepositTransaction, ...] = ()


@dataclass(frozen=True, slots=True)
class TelecomBill:
    """One month's bill: `charge_month` YYYYMM, `charge_date` YYYYMMDD, `charge_amt` in won."""

    charge_month: str
    charge_date: str
    charge_amt: int


@dataclass(frozen=True, slots=True)
class PaidTransaction:
    """Something paid for through the telephone bill (소액결제). A refund has a negative `trans_amt` (won)."""

    trans_date: str
    trans_amt: int
    merchant_name: str
    trans_title: str


@dataclass(frozen=True, slots=True)
class TelecomContract:
    """A telephone or internet subscription. `is_consent` false: listed only."""

    mgmt_id: str
    telecom_num: str
    type: str = "01"
    status: str = "01"
    is_consent: bool = True
    bills: tuple[TelecomBill, ...] = ()
    paid: tuple[PaidTransaction, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """A generated citizen. `id` stands for CI (연계정보): known to holders and the identity provider only.

    A person without lives in a sector is no customer of that sector's holder, unless `customer_of` says so.
    """

    id: str
    name: str
    born: date
    accounts: tuple[DepositAccount, ...] = ()
    contracts: tuple[TelecomContract, ...] = ()
    meters: tuple[Any, ...] = ()
    orders: tuple[Any, ...] = ()
    observations: tuple[Any, ...] = ()
    customer_of: frozenset[str] = frozenset()

    def knows(self, sector: str) -> bool:
        """Whether this person is a customer of the sector's holder (perhaps one with nothing to show)."""
        held = {
            "finance": self.accounts,
            "telecom": self.contracts,
            "energy": self.meters,
            "retail": self.orders,
            "medical": self.observations,
        }
        return bool(held.get(sector)) or sector in self.customer_of
