"""GET /consents, GET /consents/{id}: how a company's own consents stand. Never whose they are.

Opened by a client_credentials token with the scope `company`. Another company's consent is not there, just as
one that never was; nor is a request that was refused or not answered. Asking for what moved since the last
time (`changed_since`, or the `next` of the last page) tells of every pause, change and end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository_party
from consent.agents import agents_of
from consent.clock import Clock
from consent.items import to_details
from consent.records import PENDING, Consent, State
from consent.repository_party import Place, Wanted
from consent.rights import Agent
from gateway.database import Database
from gateway.errors import Problem
from gateway.oauth.bearer import ResourceServer
from gateway.oauth.grants import GRANTS

STATES = tuple(state for state in State if state not in PENDING | {State.REFUSED})
"""States a consent that was ever given may be in."""
USUAL, MOST = 50, 100
_MOMENT = re.compile(r"[0-9]{1,12}", re.ASCII)
_PURPOSE = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_PLACE = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{1,64})", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class Answered(BaseModel):
    """Who said the yes for the citizen, and how that was agreed beforehand (Decree 42-5(2))."""

    role: str
    method: str


class ConsentStanding(BaseModel):
    """How one consent stands now. Moments are epoch seconds; `by` and `why` are of the last move.

    `grant_id` is the living grant made from it; absent once that has ended. No `agent`: the citizen said yes.
    """

    id: str
    grant_id: str | None
    state: str
    version: int
    by: str
    why: str | None
    agent: Answered | None
    purpose: str
    authorization_details: list[dict[str, Any]]
    text_sha256: str
    created_at: int
    changed_at: int
    starts_at: int
    ends_at: int


class ConsentPage(BaseModel):
    """A page of consents, the one that moved longest ago first; `next` is the address of what follows."""

    consents: list[ConsentStanding]
    next: str | None


@dataclass(frozen=True, slots=True)
class Doors:
    """What these doors need, handed in once."""

    issuer: str
    database: Database
    resource: ResourceServer
    clock: Clock

    async def every(self, request: Request) -> ConsentPage:
        """A page of the caller's consents. Raises Problem `invalid_request` naming the parameter."""
        client = (await self.resource.for_company(request)).client
        wanted, limit, after = read_query(request)
        now = int(self.clock().timestamp())
        async with self.database.reading() as session:
            found = await repository_party.of_client(
                session, client.id, wanted, at=now, limit=limit + 1, after=after
            )
            shown = found[:limit]
            grants = await _grants(session, [consent.id for consent in shown])
            agents = await agents_of(session, [consent.mandate for consent in shown])
        last = shown[-1] if len(found) > limit else None
        return ConsentPage(
            consents=[_standing(consent, grants, agents, now) for consent in shown],
            next=self._next(request, (last.changed_at, last.id)) if last else None,
        )

    async def one(self, request: Request, consent_id: str) -> ConsentStanding:
        """One of the caller's consents. Raises Problem `consent_not_found`."""
        client = (await self.resource.for_company(request)).client
        async with self.database.reading() as session:
            known = _ID.fullmatch(consent_id) is not None
            found = await repository_party.one_of_client(session, client.id, consent_id) if known else None
            if found is None:
                raise Problem("consent_not_found")
            grants = await _grants(session, [found.id])
            agents = await agents_of(session, [found.mandate])
        return _standing(found, grants, agents, int(self.clock().timestamp()))

    def _next(self, request: Request, last: Place) -> str:
        kept = {name: value for name, value in request.query_params.items() if name != "after"}
        return f"{self.issuer}/consents?{urlencode({**kept, 'after': f'{last[0]}.{last[1]}'})}"


def read_query(request: Request) -> tuple[Wanted, int, Place | None]:
    """What is asked for. Raises Problem `invalid_request` for a name or value there is not, or one twice."""
    named = request.query_params.multi_items()
    asked = dict(named)
    for name in asked:
        if name not in ("state", "purpose", "changed_since", "limit", "after"):
            raise _wrong("an unknown parameter")
    if len(asked) != len(named):
        raise _wrong("a parameter that stands twice")
    state, since, limit = asked.get("state"), asked.get("changed_since"), asked.get("limit", str(USUAL))
    if state is not None and state not in STATES:
        raise _wrong("state")
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= MOST):
        raise _wrong("limit")
    purpose = _matched(_PURPOSE, asked, "purpose")
    moment, place = _matched(_MOMENT, asked, "changed_since"), _matched(_PLACE, asked, "after")
    wanted = Wanted(
        state=State(state) if state else None,
        purpose=purpose[0] if purpose else None,
        since=int(since) if moment and since else None,
    )
    return wanted, int(limit), (int(place[1]), place[2]) if place else None


def router(doors: Doors) -> APIRouter:
    """The routes, with their schemas in the OpenAPI document."""
    routes = APIRouter(tags=["consents"])

    @routes.get("/consents", response_model=ConsentPage)
    async def every(request: Request) -> ConsentPage:
        """The consents this company received, in the order of their last move."""
        return await doors.every(request)

    @routes.get("/consents/{consent_id}", response_model=ConsentStanding)
    async def one(request: Request, consent_id: str) -> ConsentStanding:
        """How one of them stands."""
        return await doors.one(request, consent_id)

    return routes


async def _grants(session: AsyncSession, consents: Sequence[str]) -> Mapping[str, str]:
    """By consent: its living grant."""
    alive = select(GRANTS.c.consent_id, GRANTS.c.id).where(GRANTS.c.revoked_at.is_(None))
    rows = await session.execute(alive.where(GRANTS.c.consent_id.in_(consents)))
    return {row.consent_id: row.id for row in rows}


def _standing(
    consent: Consent, grants: Mapping[str, str], agents: Mapping[str, Agent], now: int
) -> ConsentStanding:
    agent = agents.get(consent.mandate or "")
    return ConsentStanding(
        id=consent.id,
        grant_id=grants.get(consent.id),
        state=consent.standing(now).value,
        version=consent.version,
        by=consent.by.value,
        why=consent.why,
        agent=Answered(role=agent.role, method=agent.method) if agent else None,
        purpose=consent.terms.purpose,
        authorization_details=to_details(consent.terms),
        text_sha256=consent.text_hash,
        created_at=consent.created_at,
        changed_at=consent.changed_at,
        starts_at=consent.terms.start_at,
        ends_at=consent.terms.end_at,
    )


def _matched(shape: re.Pattern[str], asked: Mapping[str, str], name: str) -> re.Match[str] | None:
    if name not in asked:
        return None
    found = shape.fullmatch(asked[name])
    if found is None:
        raise _wrong(name)
    return found


def _wrong(what: str) -> Problem:
    return Problem("invalid_request", params={"what": what})
