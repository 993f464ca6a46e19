"""The weekly numbers over HTTP: the operator's (지원-004), a holder's (005), and asking for them again (104).

They are made anew from the records at every look, so a week asked for again is the week as it stands now.
Only weeks that are over are told: they begin on a Sunday and have seven days, all of them past.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from gateway.database import Database
from gateway.ledger.readers import Reader
from gateway.statistics import from_records, week
from gateway.support.tokens import SupportTokens
from gateway.support.wire import answered, members, tran_id, wrong

_DAY = re.compile(r"[0-9]{8}", re.ASCII)
_ORG = re.compile(r"[A-Z0-9]{10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Weeks:
    """What these doors need, handed in once. `org_codes` by holder."""

    database: Database
    journal: Journal
    tokens: SupportTokens
    org_codes: Mapping[str, str]
    wake: Callable[[], None]
    clock: Clock

    async def again(self, request: Request) -> Response:
        """지원-104: a week is asked for again. Entered once a transaction id, made at every look."""
        reader = self._admit(request)
        given = await members(request, {"stat_start": _DAY, "org_code": _ORG}, ("stat_start",))
        first, holder = self._first(given["stat_start"]), self._holder(given.get("org_code"))
        told = {"first": first.isoformat(), **({} if holder is None else {"holder": holder})}
        idem = f"support/{reader.id}/{tran_id(request)}"
        await self._enter(Event.SUPPORT_STATISTICS_ASKED, reader, told, idem)
        where = f"/v2/mgmts/statistics/{'operator' if holder is None else 'holder'}"
        return answered(request, {"stat_start": f"{first:%Y%m%d}", "stat_path": where})

    async def of_operator(self, request: Request) -> Response:
        """지원-004 v2: the week of the operator."""
        reader, (first, _) = self._admit(request), self._asked(request, holder=False)
        told = await self._told(reader, first, None)
        return answered(request, told)

    async def of_holder(self, request: Request) -> Response:
        """지원-005 v2: the week as one holder would count it."""
        reader, (first, holder) = self._admit(request), self._asked(request, holder=True)
        return answered(request, await self._told(reader, first, holder))

    async def _told(self, reader: Reader, first: date, holder: str | None) -> dict[str, Any]:
        begin, end = week.span(first)
        async with self.database.reading() as session:
            facts = await from_records.facts(session, begin, end)
        about = {"first": first.isoformat(), **({} if holder is None else {"holder": holder})}
        await self._enter(Event.SUPPORT_STATISTICS_SHOWN, reader, about)
        if holder is None:
            return week.of_operator(facts, first, self.org_codes)
        return week.of_holder(facts, first, holder, self.org_codes)

    async def _enter(
        self, event: Event, reader: Reader, told: dict[str, Any], idem: str | None = None
    ) -> None:
        at = int(self.clock().timestamp())
        async with self.database.transaction() as session:
            await self.journal.append(
                session, event, subject=None, party=reader.id, payload=told, at=at, idem=idem
            )
        self.wake()

    def _admit(self, request: Request) -> Reader:
        return self.tokens.admit(request.headers.get("authorization"), "support")

    def _asked(self, request: Request, *, holder: bool) -> tuple[date, str | None]:
        named = request.query_params.multi_items()
        given = dict(named)
        known = {"stat_start", "org_code"} if holder else {"stat_start"}
        if set(given) != known or len(given) != len(named):
            raise wrong(", ".join(sorted(known)))
        return self._first(given["stat_start"]), self._holder(given.get("org_code"))

    def _holder(self, org_code: str | None) -> str | None:
        if org_code is None:
            return None
        found = next((id for id, code in self.org_codes.items() if code == org_code), None)
        if found is None:
            raise wrong("org_code")
        return found

    def _first(self, text: str) -> date:
        """The Sunday of a week that is over. Raises Problem `invalid_request`."""
        if _DAY.fullmatch(text) is None:
            raise wrong("stat_start")
        try:
            first = datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a day, no moment)
            over = week.span(first)[1] <= int(self.clock().timestamp())
        except (ValueError, OverflowError):
            raise wrong("stat_start") from None
        if week.first_of(first) != first or not over:
            raise wrong("stat_start")
        return first
