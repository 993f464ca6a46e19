"""Accounts (계좌, 회선, 계량기) as the gateway speaks of them: references and masked names, never numbers.

A reference is a keyed name of one account of one citizen towards one client: nobody without the citizen's key
can make or undo it, two clients cannot compare theirs, and it goes when the key goes. The masked name is for
the citizen only and is sealed wherever it lies.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from consent.subjects import SubjectKey

SHOWN = 4
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Listed:
    """One account as the citizen may choose it. `blocked` says why they cannot: `closed` or `left_out`."""

    ref: str
    label: str = field(repr=False)
    blocked: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """The accounts of one place (`HOLDER/FIELD`), or the code of why there is no list: then all are meant."""

    accounts: tuple[Listed, ...] = ()
    missing: str | None = None

    @property
    def open(self) -> tuple[Listed, ...]:
        """Those that can be chosen."""
        return tuple(one for one in self.accounts if one.blocked is None)


def place(holder: str, field_name: str) -> str:
    """The name of a holder's list: the accounts its records name in one field."""
    return f"{holder}/{field_name}"


def reference(key: SubjectKey, client_id: str, holder: str, account: str) -> str:
    """The reference of `account` (as records carry it): 26 characters of `a-z2-7`, 130 bits."""
    name = "\0".join((client_id, holder, account)).encode()
    return base64.b32encode(key.account_name(name)).decode().lower()[:26]


def label(name: str, account: str) -> str:
    """What the citizen sees: the product's name and the end of the number: four characters at most,

    and never more than half of it.
    """
    told = "".join(c for c in account if c.isalnum())
    end = told[len(told) - min(SHOWN, len(told) // 2) :] if len(told) > 1 else ""
    plain = "".join(c for c in name if c.isprintable()).strip()[:LONGEST_NAME]
    return f"{plain} ***-{end}".strip() if end else plain or "***"
