"""Past decisions for scoped accounts (`ledger_readers`): lists, replays, another policy tried on past weeks.

`Authorization: Bearer TOKEN` of an account that may `decisions` or `what-if`. Nothing here names a citizen;
each look stands in the ledger under the account's id before its answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from gateway.errors import Problem
from gateway.ledger.readers import Reader, Readers, Scope
from gateway.policy.memory import MOST, Again, Memory
from gateway.policy.record import Wanted

USUAL = 50
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_MOMENT = re.compile(r"[0-9]{1,11}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,3}", re.ASCII)
_CLIENT = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)
_ANSWER = re.compile(r"true|false", re.ASCII)
_REVISION = re.compile(r"(sha256:)?[0-9a-f]{8,64}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class PastDecision(BaseModel):
    """One decision of a list. `at` is in epoch seconds; `available` false: no engine could decide then."""

    id: str
    at: int
    client_id: str
    allow: bool
    available: bool
    codes: list[str]
    revision: str
    engine: str


class DecisionPage(BaseModel):
    """A page of decisions, the newest first; `next` is the `before` of what follows."""

    decisions: list[PastDecision]
    next: str | None


class Replay(BaseModel):
    """A decision made again on its own revision.

    `outcome`: equal, different, erased (the citizen's key is gone), not_decided, revision_missing, changed.
    """

    decision: PastDecision
    outcome: str
    codes: list[dict[str, str]]
    granted: dict[str, int]
    withheld: list[dict[str, Any]]
    obligations: list[str]
    recorded_sha256: str
    again_sha256: str | None
    again_engine: str | None
    differs: list[str]


class PolicyList(BaseModel):
    """Every kept policy, the newest first."""

    policies: list[dict[str, Any]]


class WhatIf(BaseModel):
    """The account of another policy, week by week; numbers of people below five are told as `<5`."""

    weeks: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Doors:
    """What these doors need, handed in once."""

    memory: Memory
    readers: Readers

    def admit(self, request: Request, scope: Scope) -> Reader:
        """The account that asks. Raises Problem `reader_unknown`, `reader_scope`."""
        return self.readers.admit(request.headers.get("authorization"), scope)

    async def decisions(self, request: Request) -> DecisionPage:
        """A page. Raises Problem `invalid_request` naming the parameter."""
        reader = self.admit(request, "decisions")
        asked = parameters(request, ("since", "until", "client", "allow", "before", "limit"))
        wanted = wanted_of(asked)
        before = matched(_ID, asked, "before")
        limit = int(matched(_NUMBER, asked, "limit") or USUAL)
        if not 1 <= limit <= MOST:
            raise wrong("limit")
        lines, after = await self.memory.decisions(reader.id, wanted, before=before, limit=limit)
        return DecisionPage(decisions=[PastDecision(**asdict(line)) for line in lines], next=after)

    async def replay(self, request: Request, decision_id: str) -> Replay:
        """One decision again. Raises Problem `not_found`."""
        reader = self.admit(request, "decisions")
        parameters(request, ())
        if _ID.fullmatch(decision_id) is None:
            raise Problem("not_found")
        return _replay(await self.memory.again(reader.id, decision_id))

    async def policies(self, request: Request) -> PolicyList:
        """What can be tried."""
        self.admit(request, "what-if")
        parameters(request, ())
        return PolicyList(policies=[asdict(kept) for kept in await self.memory.policies()])

    async def what_if(self, request: Request) -> WhatIf:
        """Another policy on past weeks. Raises what `Memory.what_if` does."""
        reader = self.admit(request, "what-if")
        asked = parameters(request, ("candidate", "first", "weeks"))
        candidate, first = matched(_REVISION, asked, "candidate"), matched(_DAY, asked, "first")
        if candidate is None or first is None:
            raise wrong("candidate, first")
        weeks = int(matched(_NUMBER, asked, "weeks") or 1)
        return WhatIf(weeks=await self.memory.what_if(reader.id, candidate, day_of(first), weeks))


def router(doors: Doors) -> APIRouter:
    """The routes, with their schemas in the OpenAPI document."""
    routes = APIRouter(tags=["policy"])

    @routes.get("/policy/decisions", response_model=DecisionPage)
    async def decisions(request: Request) -> JSONResponse:
        """Past decisions, the newest first, without citizens."""
        return _private(await doors.decisions(request))

    @routes.get("/policy/decisions/{decision_id}/replay", response_model=Replay)
    async def replay(request: Request, decision_id: str) -> JSONResponse:
        """One past decision made again on its own policy."""
        return _private(await doors.replay(request, decision_id))

    @routes.get("/policy/revisions", response_model=PolicyList)
    async def policies(request: Request) -> JSONResponse:
        """Every kept policy, which can be tried."""
        return _private(await doors.policies(request))

    @routes.get("/policy/what-if", response_model=WhatIf)
    async def what_if(request: Request) -> JSONResponse:
        """What another kept policy would have decided in past weeks, in numbers."""
        return _private(await doors.what_if(request))

    return routes


def parameters(request: Request, known: Collection[str]) -> dict[str, str]:
    """The query. Raises Problem `invalid_request` for a name there is not, or one that stands twice."""
    named = request.query_params.multi_items()
    asked = dict(named)
    if set(asked) - set(known):
        raise wrong("an unknown parameter")
    if len(asked) != len(named):
        raise wrong("a parameter that stands twice")
    return asked


def wanted_of(asked: dict[str, str]) -> Wanted:
    """Which decisions are asked for. Raises Problem `invalid_request`."""
    since, until = matched(_MOMENT, asked, "since"), matched(_MOMENT, asked, "until")
    allow = matched(_ANSWER, asked, "allow")
    return Wanted(
        since=int(since) if since else None,
        until=int(until) if until else None,
        client_id=matched(_CLIENT, asked, "client"),
        allow=None if allow is None else allow == "true",
    )


def matched(shape: re.Pattern[str], asked: dict[str, str], name: str) -> str | None:
    """The value of `name`; None if it was not sent. Raises Problem `invalid_request` naming it."""
    value = asked.get(name)
    if value is not None and shape.fullmatch(value) is None:
        raise wrong(name)
    return value


def day_of(text: str) -> date:
    """A day. Raises Problem `invalid_request`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise wrong("first") from None


def wrong(what: str) -> Problem:
    """The refusal that names what is wrong."""
    return Problem("invalid_request", params={"what": what})


def _replay(again: Again) -> Replay:
    told = again.recorded
    return Replay(
        decision=PastDecision(**asdict(again.line)),
        outcome=again.outcome,
        codes=[{"code": code, "article": article} for code, article in told.codes],
        granted=dict(told.granted),
        withheld=[asdict(stayed) for stayed in told.withheld],
        obligations=list(told.obligations),
        recorded_sha256=again.recorded_sha256,
        again_sha256=again.again_sha256,
        again_engine=again.again_engine,
        differs=list(again.differs),
    )


def _private(answer: BaseModel) -> JSONResponse:
    return JSONResponse(answer.model_dump(), headers={"Cache-Control": "no-store"})
