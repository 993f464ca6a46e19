"""The finance and telecom sides of a sandbox life, in the wire names of the Korean MyData conventions.

These are the plain values that the generator fills and the sandbox holders serve. Money is whole Korean won
(KRW). Times are Korean civil time without a zone, as on the wire: `YYYYMMDDhhmmss`, `YYYYMMDD`, `YYYYMM`.
"""

from __future__ import annotations

from dataclasses import dataclass

DEPOSIT = "02"
"""`trans_type` of money coming in. The sandbox bank's own code."""
WITHDRAWAL = "03"
"""`trans_type` of money going out. The sandbox bank's own code."""


@dataclass(frozen=True, slots=True)
class DepositTransaction:
    """One line of an account: `trans_amt` is never negative, `trans_type` says which way the money went."""

    trans_no: str
    trans_dtime: str
    trans_type: str
    trans_amt: int
    balance_amt: int
    trans_memo: str
    currency_code: str = "KRW"


@dataclass(frozen=True, slots=True)
class DepositAccount:
    """One deposit account with its lines, oldest first."""

    account_num: str
    prod_name: str
    transactions: tuple[DepositTransaction, ...]
    currency_code: str = "KRW"
    seqno: str = "1"
    account_type: str = "1001"
    account_status: str = "01"
    is_consent: bool = True


@dataclass(frozen=True, slots=True)
class TelecomBill:
    """What was charged for one month and the day it was paid."""

    charge_month: str
    charge_amt: int
    charge_date: str


@dataclass(frozen=True, slots=True)
class PaidTransaction:
    """One thing paid for through the telephone bill (소액결제). A refund has a negative `trans_amt`."""

    trans_date: str
    trans_amt: int
    merchant_name: str
    trans_title: str


@dataclass(frozen=True, slots=True)
class TelecomContract:
    """One telephone subscription with its bills and the payments made through them, oldest first."""

    mgmt_id: str
    telecom_num: str
    bills: tuple[TelecomBill, ...]
    paid: tuple[PaidTransaction, ...] = ()
    type: str = "01"
    status: str = "01"
    is_consent: bool = True
