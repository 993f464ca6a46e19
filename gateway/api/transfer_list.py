"""GET /transfers: a company's own transfers, newest first, by state, consent or time. Never whose data.

Opened by a client_credentials token with the scope `company`; the data itself stays behind the doors of each
grant. What is told here is what Decree 42-6(11) has a recipient keep: asked, sent, received, stopped and why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import Table, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from consent.refusal_grounds import ground_of
from gateway.database import Database
from gateway.errors import Problem
from gateway.oauth.bearer import ResourceServer
from gateway.transfers.states import State
from gateway.transfers.tables import TransferRow

USUAL, MOST = 50, 100
NAMES = ("state", "consent_id", "since", "until", "limit", "after")
_MOMENT = re.compile(r"[0-9]{1,12}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_PLACE = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{1,64})", re.ASCII)
_LIMIT = re.compile(r"[1-9][0-9]?|100", re.ASCII)
_TRANSFER: Table = TransferRow.__table__  # type: ignore[attr-defined]

Place = tuple[int, str]


class TransferLine(BaseModel):
    """One transfer. Moments are epoch seconds; `delayed_at`: the citizen was told that it takes longer.

    `kind`: asked for by the citizen's presence (user) or by its cycle (scheduled). `ground` is the one of the
    eleven grounds of Decree 42-8(1) that `reason` states, if it states one.
    """

    id: str
    consent_id: str
    consent_version: int
    state: str
    kind: str
    reason: str
    ground: str | None
    decision_id: str
    bundle_id: str | None
    created_at: int
    changed_at: int
    delayed_at: int | None
    delay_reason: str | None
    solved_at: int | None


class TransferPage(BaseModel):
    """A page of transfers, the newest first; `next` is the address of what follows."""

    transfers: list[TransferLine]
    next: str | None


@dataclass(frozen=True, slots=True)
class Doors:
    """What this door needs, handed in once."""

    issuer: str
    database: Database
    resource: ResourceServer

    async def every(self, request: Request) -> TransferPage:
        """A page of the caller's transfers. Raises Problem `invalid_request` naming the parameter."""
        client = (await self.resource.for_company(request)).client
        asked = read_query(request)
        limit = int(asked.get("limit", str(USUAL)))
        async with self.database.reading() as session:
            found = await _page(session, client.id, asked, limit + 1)
        shown = found[:limit]
        last = shown[-1] if len(found) > limit else None
        return TransferPage(
            transfers=[_line(row) for row in shown],
            next=self._next(asked, (last.created_at, last.id)) if last else None,
        )

    def _next(self, asked: Mapping[str, str], last: Place) -> str:
        return f"{self.issuer}/transfers?{urlencode({**asked, 'after': f'{last[0]}.{last[1]}'})}"


def read_query(request: Request) -> dict[str, str]:
    """What is asked for. Raises Problem `invalid_request` for a name or value there is not, or one twice."""
    named = request.query_params.multi_items()
    asked = dict(named)
    shapes = {"consent_id": _ID, "since": _MOMENT, "until": _MOMENT, "limit": _LIMIT, "after": _PLACE}
    if len(asked) != len(named):
        raise Problem("invalid_request", params={"what": "a parameter that stands twice"})
    for name, value in asked.items():
        if name not in NAMES:
            raise Problem("invalid_request", params={"what": "an unknown parameter"})
        if value not in list(State) if name == "state" else not shapes[name].fullmatch(value):
            raise Problem("invalid_request", params={"what": name})
    return asked


async def _page(
    session: AsyncSession, client_id: str, asked: Mapping[str, str], limit: int
) -> list[TransferRow]:
    query = select(TransferRow).where(_TRANSFER.c.client_id == client_id)
    if "state" in asked:
        query = query.where(_TRANSFER.c.state == asked["state"])
    if "consent_id" in asked:
        query = query.where(_TRANSFER.c.consent_id == asked["consent_id"])
    if "since" in asked:
        query = query.where(_TRANSFER.c.created_at >= int(asked["since"]))
    if "until" in asked:
        query = query.where(_TRANSFER.c.created_at < int(asked["until"]))
    if place := _PLACE.fullmatch(asked.get("after", "")):
        query = query.where(tuple_(_TRANSFER.c.created_at, _TRANSFER.c.id) < (int(place[1]), place[2]))
    newest = query.order_by(_TRANSFER.c.created_at.desc(), _TRANSFER.c.id.desc()).limit(limit)
    return list((await session.execute(newest)).scalars())


def _line(row: TransferRow) -> TransferLine:
    ground = ground_of(row.reason)
    kept = {name: getattr(row, name) for name in TransferLine.model_fields if name != "ground"}
    return TransferLine(**kept, ground=ground.value if ground else None)


def router(doors: Doors) -> APIRouter:
    """The route, with its schema in the OpenAPI document."""
    routes = APIRouter(tags=["transfers"])

    @routes.get("/transfers", response_model=TransferPage)
    async def every(request: Request) -> TransferPage:
        """The transfers this company asked for."""
        return await doors.every(request)

    return routes
