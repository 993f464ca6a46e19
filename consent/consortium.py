"""The consortium (컨소시엄): holders and recipients bound by one contract, the unit of taking part.

No pull happens outside one. The record is data that policy reads; the check here is the same in plain code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from consent.calendar import day_begins, day_ends, parse_date
from consent.errors import ConsortiumError


@dataclass(frozen=True, slots=True)
class Consortium:
    """Who may ask whom for what, under which contract, from `start` to `end` (both days included, Korea)."""

    id: str
    contract: str
    holders: frozenset[str]
    recipients: frozenset[str]
    sectors: frozenset[str]
    purposes: frozenset[str]
    start: date
    end: date

    @classmethod
    def of(
        cls,
        *,
        id: str,
        contract: str,
        holders: Collection[str],
        recipients: Collection[str],
        sectors: Collection[str],
        purposes: Collection[str],
        start: str,
        end: str,
    ) -> Consortium:
        """A consortium from plain values. ConsortiumError `consortium_invalid` names the wrong one."""
        try:
            first, last = parse_date(start), parse_date(end)
        except ValueError as error:
            raise ConsortiumError("consortium_invalid", consortium=id, member="start, end") from error
        named = {
            "id": id,
            "contract": contract,
            "holders": holders,
            "recipients": recipients,
            "sectors": sectors,
            "purposes": purposes,
        }
        for member, value in named.items():
            if not value or "" in tuple(value):
                raise ConsortiumError("consortium_invalid", consortium=id, member=member)
        if last < first:
            raise ConsortiumError("consortium_invalid", consortium=id, member="end")
        return cls(
            id=id,
            contract=contract,
            holders=frozenset(holders),
            recipients=frozenset(recipients),
            sectors=frozenset(sectors),
            purposes=frozenset(purposes),
            start=first,
            end=last,
        )

    def in_force(self, at: int) -> bool:
        """Whether the contract holds at the instant `at`."""
        return day_begins(self.start) <= at < day_ends(self.end)

    def document(self) -> dict[str, Any]:
        """The record as JSON for policy, in a fixed order."""
        return {
            "id": self.id,
            "contract": self.contract,
            "holders": sorted(self.holders),
            "recipients": sorted(self.recipients),
            "sectors": sorted(self.sectors),
            "purposes": sorted(self.purposes),
            "start_at": day_begins(self.start),
            "end_at": day_ends(self.end),
        }


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull that is about to happen, as far as membership goes."""

    client_id: str
    holder: str
    sector: str
    purpose: str


def pull_refusal(consortia: Iterable[Consortium], pull: Pull, at: int) -> str | None:
    """Why `pull` lies outside every consortium at the instant `at`; None when one of them covers it.

    Codes, from far to near: `consortium_none` (the client is in none), `consortium_ended`,
    `consortium_holder`, `consortium_sector`, `consortium_purpose`. The nearest miss is named.
    """
    misses = ["consortium_none"]
    for consortium in consortia:
        if pull.client_id not in consortium.recipients:
            continue
        miss = _miss(consortium, pull, at)
        if miss is None:
            return None
        misses.append(miss)
    return max(misses, key=_NEARNESS.index)


def pull_allowed(consortia: Iterable[Consortium], pull: Pull, at: int) -> bool:
    """Whether some consortium in force covers `pull`."""
    return pull_refusal(consortia, pull, at) is None


def client_scope(
    consortia: Iterable[Consortium], client_id: str, at: int
) -> tuple[frozenset[str], frozenset[str]]:
    """The purposes and the holders a client may name, over all its consortia in force; for `ClientInfo`."""
    mine = [c for c in consortia if client_id in c.recipients and c.in_force(at)]
    purposes = frozenset(purpose for c in mine for purpose in c.purposes)
    return purposes, frozenset(holder for c in mine for holder in c.holders)


_NEARNESS = (
    "consortium_none",
    "consortium_ended",
    "consortium_holder",
    "consortium_sector",
    "consortium_purpose",
)


def _miss(consortium: Consortium, pull: Pull, at: int) -> str | None:
    if not consortium.in_force(at):
        return "consortium_ended"
    if pull.holder not in consortium.holders:
        return "consortium_holder"
    if pull.sector not in consortium.sectors:
        return "consortium_sector"
    return None if pull.purpose in consortium.purposes else "consortium_purpose"
