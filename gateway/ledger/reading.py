"""The regulator's door: copy, search and open entries under a scoped account; every look is logged first."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from consent.ledger.errors import LedgerFormatError
from consent.ledger.tiles import Tile, exists, pack, parse
from gateway.errors import Problem
from gateway.ledger import index, repository
from gateway.ledger.log import Log
from gateway.ledger.openings import MAX_EVENTS, opening
from gateway.ledger.readers import Reader, Readers

MAX_BODY = 16_384
MAX_CASE = 100
_PRIVATE = {"Cache-Control": "no-store"}


class Reading:
    """Answers readers. A look that cannot be entered into the ledger is not granted."""

    def __init__(self, log: Log, journal: Journal, readers: Readers, clock: Clock) -> None:
        """Serve `readers` from `log`; looks are written through `journal`."""
        self._log, self._journal, self._readers, self._clock = log, journal, readers, clock

    async def entries(self, request: Request) -> Response:
        """An entry bundle, for a mirror or an auditor; copying is entered once an hour and account."""
        reader = self._admit(request, "entries")
        wanted = _bundle(request.path_params["path"])
        hour = int(self._now().timestamp()) // 3600
        await self._look(
            Event.LEDGER_ENTRIES_COPIED, reader, {"hour": hour}, f"look/{reader.id}/entries/{hour}"
        )
        async with self._log.database.reading() as session:
            published = await repository.checkpoint(session)
            if published is None or not exists(wanted, published[0]):
                raise Problem("not_found", detail="the published log has no such bundle")
            found = await repository.bundle(session, wanted)
        if not found:
            raise Problem("not_found", detail="removed under retention; /ledger/statements names the gap")
        return Response(pack(found), media_type="application/octet-stream", headers=_PRIVATE)

    async def search(self, request: Request) -> Response:
        """Entries by kind, party and time; at most 1,000 an answer, `after` goes on."""
        reader = self._admit(request, "search")
        query = _query(dict(request.query_params))
        async with self._log.database.reading() as session:
            published = await repository.checkpoint(session)
            size = published[0] if published else 0
            found = await index.search(session, query, size)
        asked = {name: value for name, value in asdict(query).items() if value is not None}
        await self._look(Event.LEDGER_ENTRIES_SEARCHED, reader, {"query": asked, "found": len(found)})
        lines = [{"index": r.position, "at": r.at, "kind": r.kind, "party": r.party} for r in found]
        return JSONResponse({"size": size, "entries": lines}, headers=_PRIVATE)

    async def open(self, request: Request) -> Response:
        """What chosen entries say, as an opening that verifies offline; each citizen's trail shows it."""
        reader = self._admit(request, "open")
        case, indexes = await _asked(request)
        async with self._log.database.reading() as session:
            opened = await opening(session, self._journal.keys, indexes)
        at = int(self._now().timestamp())
        async with self._log.database.transaction() as session:
            # By citizen, as every batch takes their rows: so that none waits for another in a circle.
            for number in sorted(set(indexes), key=lambda one: (opened.subjects.get(one, ""), one)):
                await self._journal.append(
                    session,
                    Event.LEDGER_ENTRY_OPENED,
                    subject=opened.subjects.get(number),
                    party=reader.id,
                    payload={"index": number, "case": case},
                    at=at,
                )
        self._log.wake()
        return Response(opened.data, media_type="application/json", headers=_PRIVATE)

    def _admit(self, request: Request, scope: Any) -> Reader:
        return self._readers.admit(request.headers.get("authorization"), scope)

    async def _look(
        self, kind: Event, reader: Reader, payload: dict[str, Any], idem: str | None = None
    ) -> None:
        async with self._log.database.transaction() as session:
            at = int(self._now().timestamp())
            await self._journal.append(
                session, kind, subject=None, party=reader.id, payload=payload, at=at, idem=idem
            )
        self._log.wake()

    def _now(self) -> datetime:
        return self._clock()


def reading_routes(reading: Reading) -> list[BaseRoute]:
    """`/ledger/tile/entries/...`, `/ledger/entries`, `/ledger/openings`."""
    return [
        Route("/ledger/tile/entries/{path:path}", reading.entries, methods=["GET"]),
        Route("/ledger/entries", reading.search, methods=["GET"]),
        Route("/ledger/openings", reading.open, methods=["POST"]),
    ]


def _bundle(path: str) -> Tile:
    try:
        return parse(f"0/{path}")
    except LedgerFormatError as error:
        raise Problem("not_found", detail=str(error)) from error


def _query(given: dict[str, str]) -> index.Query:
    known = {field.name for field in fields(index.Query)}
    texts = {name: given[name] for name in ("kind", "party") if name in given}
    try:
        numbers = {name: int(value) for name, value in given.items() if name not in texts}
    except ValueError:
        raise Problem("invalid_request", params={"what": "since, until, after, limit"}) from None
    if (
        set(given) - known
        or any(not -1 <= number < 1 << 40 for number in numbers.values())
        or numbers.get("limit", 1) < 1
    ):
        raise Problem("invalid_request", params={"what": "kind, party, since, until, after, limit"})
    return index.Query(**texts, **numbers)  # type: ignore[arg-type]


async def _asked(request: Request) -> tuple[str, list[int]]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise Problem("too_large")
    try:
        given = json.loads(body)
        case, indexes = given["case"], given["indexes"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Problem("invalid_request", params={"what": "case, indexes"}) from None
    whole = isinstance(indexes, list) and all(type(number) is int for number in indexes)
    if not whole or not 1 <= len(indexes) <= MAX_EVENTS or set(given) != {"case", "indexes"}:
        raise Problem("invalid_request", params={"what": "indexes"})
    if not isinstance(case, str) or not 1 <= len(case) <= MAX_CASE or not case.isprintable():
        raise Problem("invalid_request", params={"what": "case"})
    return case, indexes
