"""GET /metrics/consents: past days in figures for an account that may `metrics`; no Prometheus, no citizen.

Figures are made anew at every look, from the records; each says where it can be made from again. A look
stands in the ledger under the account's id before its answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consent.calendar import day_begins, day_ends
from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from gateway.database import Database
from gateway.ledger.log import Log
from gateway.ledger.readers import Readers
from gateway.oauth import abandonment
from gateway.support import figures, readiness, sources
from gateway.support.wire import wrong

MOST_DAYS = 31
SETTLED_SECONDS = 3 * 3_600
"""How long after its end a day is whole: citizens may still answer, refusals wait for their hour."""
SOURCES = {
    "availability": "records",
    "performance": "records, ledger",
    "invocations": "records, ledger",
    "averageResponse": "records, ledger",
    "averageTps": "records, ledger",
    "peakTps": "records, ledger",
    "errors": "records, ledger",
    "rejections": "ledger",
    "authorisations": "records, ledger",
    "abandonments": "records",
}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ConsentMetrics:
    """What the door needs, handed in once."""

    database: Database
    journal: Journal
    log: Log
    readers: Readers
    clock: Clock

    async def show(self, request: Request) -> Response:
        """The figures of `first` to `last`, both days included, Korean days that are over.

        Raises Problem `reader_unknown`, `reader_scope`, `invalid_request` naming the parameter.
        """
        reader = self.readers.admit(request.headers.get("authorization"), "metrics")
        first, last = self._asked(request)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        told = await self._days(days)
        at = int(self.clock().timestamp())
        about: dict[str, object] = {"first": first.isoformat(), "last": last.isoformat()}
        async with self.database.transaction() as session:
            await self.journal.append(
                session, Event.METRICS_PERIOD_SHOWN, subject=None, party=reader.id, payload=about, at=at
            )
        self.log.wake()
        body = {**about, "days": told, "sources": SOURCES}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    async def _days(self, days: list[date]) -> list[dict[str, Any]]:
        async with self.database.reading() as session:
            period = await sources.of_records(session, day_begins(days[0]), day_ends(days[-1]))
            told = []
            for day in days:
                left = await abandonment.abandonments(session, day, day)
                away = await sources.turned_away(session, day_begins(day), day_ends(day))
                made = figures.of_day(period, day)
                made["authorisations"] |= figures.abandonments(left)
                made["rejections"] = figures.rejections(away)
                ready = await readiness.availability(session, day_begins(day), day_ends(day))
                told.append({"date": day.isoformat(), "availability": ready, **made})
        return told

    def _asked(self, request: Request) -> tuple[date, date]:
        named = request.query_params.multi_items()
        given = dict(named)
        if len(given) != len(named) or set(given) - {"first", "last"}:
            raise wrong("first, last")
        first = _day(given, "first")
        last = _day(given, "last") if "last" in given else first
        if not 0 <= (last - first).days < MOST_DAYS:
            raise wrong("last")
        if day_ends(last) + SETTLED_SECONDS > int(self.clock().timestamp()):
            raise wrong("last" if "last" in given else "first")
        return first, last


def metrics_routes(doors: ConsentMetrics) -> list[Route]:
    """The one door."""
    return [Route("/metrics/consents", doors.show, methods=["GET"])]


def _day(given: dict[str, str], name: str) -> date:
    text = given.get(name, "")
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not date(2000, 1, 1) <= day < date(9999, 1, 1):
        raise wrong(name)
    return day
