"""Values of a spec that are filled at the time of the request.

$org              the holder's org code
$since $until     the bounds asked for; with `|FORMAT` as strftime writes them ($until: the day's last second)
$each.NAME        field NAME of the row the request is made for (`for_each`); $each.month is YYYYMM
$tran             a new transaction id (Korean MyData x-api-tran-id: 10 operator, 1 role, 14 serial)
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from connectors.contract import Json, PullRequest

Scalar = str | int | bool
ROLE = "M"
LENGTH, SERIAL = 25, 14
OPERATOR = "MYDATAGATE"


def template_problem(value: Scalar, names: frozenset[str]) -> str | None:
    """Why this value is no template of ours; None if it is one, or a plain value."""
    if not isinstance(value, str) or not value.startswith("$"):
        return None
    name, _, form = value[1:].partition("|")
    head = name.partition(".")[0]
    if head == "each":
        return None if "each" in names and "." in name else "$each.NAME needs for_each"
    if name not in {"org", "since", "until", "tran"}:
        return f"there is no ${name}"
    if form and name not in {"since", "until"}:
        return f"${name} takes no format"
    return None


@dataclass(slots=True)
class Values:
    """The values of one pull. Counts the transaction ids it gives out."""

    org_code: str
    request: PullRequest
    _serial: int = field(default=0, init=False)

    def fill(self, value: Scalar, each: Mapping[str, Json]) -> Json:
        """The value of a checked template, or the plain value itself."""
        if not isinstance(value, str) or not value.startswith("$"):
            return value
        name, _, form = value[1:].partition("|")
        if name.startswith("each."):
            return each[name[5:]]
        if name in ("since", "until"):
            return self._bound(name, form)
        return self.org_code if name == "org" else self._transaction()

    def fill_all(self, values: Mapping[str, Scalar], each: Mapping[str, Json]) -> dict[str, Json]:
        """Every value of a mapping, filled."""
        return {name: self.fill(value, each) for name, value in values.items()}

    def _bound(self, name: str, form: str) -> str:
        since = name == "since"
        day = self.request.since if since else self.request.until
        moment = datetime.combine(day, time.min if since else time.max, UTC)
        return moment.strftime(form or "%Y-%m-%d")

    def _transaction(self) -> str:
        """The request's own id for the first call; later calls keep who asks and get a new serial."""
        whole = self.request.transaction_id
        self._serial += 1
        if self._serial == 1 and len(whole) == LENGTH:
            return whole
        digest = hashlib.sha256(f"{whole}/{self._serial}".encode()).digest()
        who = whole[:-SERIAL] if len(whole) == LENGTH else f"{OPERATOR}{ROLE}"
        return f"{who}{int.from_bytes(digest[:8]) % 10**SERIAL:0{SERIAL}d}"
