"""The regulator's door: copy, search and open entries under a scoped account; every look is logged first."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from consent.clock import Clock
from consent.events import Event
from consent.journal import Journal
from consent.ledger.errors import LedgerFormatError
from consent.ledger.tiles import Tile, bundle_path, exists, pack, parse
from consent.repository import load
from consent.subjects import SUBJECT, SubjectId
from gateway.errors import Problem
from gateway.ledger import index, repository
from gateway.ledger.layout import served
from gateway.ledger.log import Log
from gateway.ledger.openings import MAX_EVENTS, opening
from gateway.ledger.readers import Reader, Readers

MAX_BODY = 16_384
MAX_CASE = 100
_NAME = re.compile(r"[sc]-[0-9a-f]{1,38}")
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
            Event.LEDGER_ENTRIES_COPIED, reader, {"hour": hour}, idem=f"look/{reader.id}/entries/{hour}"
        )
        async with self._log.database.reading() as session:
            published = await repository.checkpoint(session)
            if published is None or not exists(wanted, published[0]):
                raise Problem("not_found", detail="the published log has no such bundle")
            found = await repository.bundle(session, wanted)
        if not found:
            raise Problem("not_found", detail="removed under retention; /ledger/statements names the gap")
        kind = served(bundle_path(wanted.index, wanted.width))
        return Response(pack(found), media_type=kind.media_type, headers=kind.headers)

    async def search(self, request: Request) -> Response:
        """Entries by kind, party and time; at most 1,000 an answer, `after` goes on."""
        reader = self._admit(request, "search")
        query = _query(dict(request.query_params))
        async with self._log.database.reading() as session:
            published = await repository.checkpoint(session)
            size = published[0] if published else 0
            found = await index.search(session, query, size)
        await self._look(Event.LEDGER_ENTRIES_SEARCHED, reader, {"query": _given(query), "found": len(found)})
        return _found(size, found)

    async def citizen(self, request: Request) -> Response:
        """The entries of one citizen, named by record id or by a consent; their own trail shows the look.

        For nobody known, and for who was forgotten, the answer is the same: none.
        """
        reader = self._admit(request, "citizens")
        case, name, query = _named(await _object(request))
        async with self._log.database.reading() as session:
            published = await repository.checkpoint(session)
            size = published[0] if published else 0
            whose = await _whose(session, name)
            found = await index.search(session, query, size, whose) if whose else []
        payload = {"case": case, "query": _given(query), "found": len(found)}
        await self._look(Event.LEDGER_ENTRIES_SEARCHED, reader, payload, subject=whose)
        return _found(size, found)

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
        self,
        kind: Event,
        reader: Reader,
        payload: dict[str, Any],
        *,
        idem: str | None = None,
        subject: SubjectId | None = None,
    ) -> None:
        async with self._log.database.transaction() as session:
            at = int(self._now().timestamp())
            await self._journal.append(
                session, kind, subject=subject, party=reader.id, payload=payload, at=at, idem=idem
            )
        self._log.wake()

    def _now(self) -> datetime:
        return self._clock()


def reading_routes(reading: Reading) -> list[BaseRoute]:
    """`/ledger/tile/entries/...`, `/ledger/entries`, `/ledger/citizens`, `/ledger/openings`."""
    return [
        Route("/ledger/tile/entries/{path:path}", reading.entries, methods=["GET"]),
        Route("/ledger/entries", reading.search, methods=["GET"]),
        Route("/ledger/citizens", reading.citizen, methods=["POST"]),
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


def _found(size: int, found: Sequence[Any]) -> Response:
    lines = [{"index": r.position, "at": r.at, "kind": r.kind, "party": r.party} for r in found]
    return JSONResponse({"size": size, "entries": lines}, headers=_PRIVATE)


def _given(query: index.Query) -> dict[str, Any]:
    return {name: value for name, value in asdict(query).items() if value is not None}


async def _object(request: Request) -> dict[str, Any]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise Problem("too_large")
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Problem("invalid_request", params={"what": "JSON"})
    return given


async def _asked(request: Request) -> tuple[str, list[int]]:
    given = await _object(request)
    indexes = given.get("indexes")
    whole = isinstance(indexes, list) and all(type(number) is int for number in indexes)
    if not isinstance(indexes, list) or not whole or not 1 <= len(indexes) <= MAX_EVENTS:
        raise Problem("invalid_request", params={"what": "indexes"})
    if set(given) != {"case", "indexes"}:
        raise Problem("invalid_request", params={"what": "case, indexes"})
    return _case(given), indexes


def _case(given: dict[str, Any]) -> str:
    case = given.get("case")
    if not isinstance(case, str) or not 1 <= len(case) <= MAX_CASE or not case.isprintable():
        raise Problem("invalid_request", params={"what": "case"})
    return case


def _named(given: dict[str, Any]) -> tuple[str, str, index.Query]:
    """Case, citizen and the rest of a search, from its JSON."""
    name = given.pop("citizen", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Problem("invalid_request", params={"what": "citizen"})
    case = _case(given)
    del given["case"]
    if any(type(value) not in (str, int) for value in given.values()):
        raise Problem("invalid_request", params={"what": "kind, party, since, until, after, limit"})
    return case, name, _query({key: str(value) for key, value in given.items()})


async def _whose(session: AsyncSession, name: str) -> SubjectId | None:
    """The citizen of a record id or a consent id, while their key lives."""
    consent = await load(session, name) if name.startswith("c-") else None
    subject = SubjectId(consent.subject if consent else name)
    query = select(SUBJECT.c.id).where(SUBJECT.c.id == subject, SUBJECT.c.wrapped.is_not(None))
    return subject if (await session.execute(query)).one_or_none() else None
