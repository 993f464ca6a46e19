"""GET /receipts, GET /receipts/{id}: the receipts of one consent; and the published profile they follow.

A citizen's browser session opens the citizen's own, a client_credentials token with the scope `company` those
of the consents the company received. The company's copy has no opening of the ledger entry: an opening names
the citizen's entry before it, which may be of another party.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response
from starlette.routing import Route

from consent import profile, repository
from consent.records import PENDING, Consent, State
from gateway.database import Database
from gateway.errors import Problem
from gateway.oauth.bearer import ResourceServer
from gateway.receipts import Listed, Receipts, listed
from gateway.security.sessions import Sessions

USUAL, MOST = 20, 100
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_PLACE = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{1,64})", re.ASCII)


class ReceiptEntry(BaseModel):
    """One receipt there is: `kind` grant, use or termination; `at` epoch seconds; `url` gives it."""

    id: str
    kind: str
    consent_id: str
    consent_version: int
    at: int
    url: str


class ReceiptPage(BaseModel):
    """A page of receipts of one consent, newest first; `next` is the address of what follows."""

    receipts: list[ReceiptEntry]
    next: str | None


class SignedReceipt(BaseModel):
    """A receipt: a compact JWS, typ `mydata-receipt+jwt`, over JSON-LD of the published profile."""

    id: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Doors:
    """What these doors need, handed in once."""

    issuer: str
    database: Database
    resource: ResourceServer
    sessions: Sessions
    receipts: Receipts

    async def every(self, request: Request) -> ReceiptPage:
        """A page of the receipts of one consent of the caller's."""
        consent_id, limit, before = _query(request)
        consent, _ = await self._own(request, consent_id)
        async with self.database.reading() as session:
            found = await listed(session, consent, limit=limit + 1, before=before)
        last = found[limit - 1] if len(found) > limit else None
        kept = {"consent_id": consent.id, "limit": str(limit)}
        return ReceiptPage(
            receipts=[self._entry(consent, one) for one in found[:limit]],
            next=f"{self.issuer}/receipts?{urlencode({**kept, 'before': f'{last.at}.{last.part}'})}"
            if last
            else None,
        )

    async def one(self, request: Request, receipt_id: str) -> SignedReceipt:
        """One receipt. Raises Problem `not_found`, `ledger_timeout` while the log lags behind it."""
        consent_id, _, part = receipt_id.partition(".")
        consent, opened = await self._own(request, consent_id)
        if not _ID.fullmatch(part):
            raise Problem("not_found")
        signed = await self.receipts.part(consent, part, opened=opened)
        return SignedReceipt(id=receipt_id, receipt=signed.decode("ascii"))

    async def _own(self, request: Request, consent_id: str) -> tuple[Consent, bool]:
        """The caller's own consent, and whether its receipts may be opened: to the citizen only."""
        citizen = client = None
        if "authorization" in request.headers or self.sessions.session_hash(request) is None:
            client = (await self.resource.for_company(request)).client
        known = _ID.fullmatch(consent_id) is not None
        async with self.database.reading() as session:
            if client is None:
                citizen = await self.sessions.find(session, request)
                if citizen is None:
                    raise Problem("sign_in_needed")
            consent = await repository.load(session, consent_id) if known else None
        if consent is None:
            raise Problem("consent_not_found")
        if citizen is not None and consent.subject == citizen.subject:
            return consent, True
        unasked = consent.state in PENDING | {State.REFUSED}
        if client is not None and consent.client_id == client.id and not unasked:
            return consent, False
        raise Problem("consent_not_found")

    def _entry(self, consent: Consent, one: Listed) -> ReceiptEntry:
        return ReceiptEntry(
            id=one.id,
            kind=one.kind,
            consent_id=consent.id,
            consent_version=one.version,
            at=one.at,
            url=f"{self.issuer}/receipts/{one.id}",
        )


def router(doors: Doors) -> APIRouter:
    """The routes, with their schemas in the OpenAPI document."""
    routes = APIRouter(tags=["receipts"])

    @routes.get("/receipts", response_model=ReceiptPage)
    async def every(request: Request) -> ReceiptPage:
        """The receipts of one consent, newest first."""
        return await doors.every(request)

    @routes.get("/receipts/{receipt_id}", response_model=SignedReceipt)
    async def one(request: Request, receipt_id: str) -> SignedReceipt:
        """One signed receipt."""
        return await doors.one(request, receipt_id)

    routes.routes.extend(profile_routes())
    return routes


def profile_routes() -> list[Route]:
    """The published profile: public, the same for ever under its number."""

    async def context(_request: Request) -> Response:
        return _published("context.json", "application/ld+json")

    async def schema(_request: Request) -> Response:
        return _published("schema.json", "application/schema+json")

    return [
        Route(profile.CONTEXT, context, methods=["GET"]),
        Route(profile.SCHEMA, schema, methods=["GET"]),
    ]


def _published(name: str, kind: str) -> Response:
    headers = {"Cache-Control": "public, max-age=86400", "Access-Control-Allow-Origin": "*"}
    return Response(profile.read(name), media_type=kind, headers=headers)


def _query(request: Request) -> tuple[str, int, tuple[int, str] | None]:
    named = request.query_params.multi_items()
    asked = dict(named)
    if len(asked) != len(named) or not asked.keys() <= {"consent_id", "limit", "before"}:
        raise _wrong("an unknown parameter, or one that stands twice")
    limit, place = asked.get("limit", str(USUAL)), _PLACE.fullmatch(asked.get("before", "0.x"))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= MOST):
        raise _wrong("limit")
    if not _ID.fullmatch(asked.get("consent_id", "")):
        raise _wrong("consent_id")
    if place is None:
        raise _wrong("before")
    return asked["consent_id"], int(limit), (int(place[1]), place[2]) if "before" in asked else None


def _wrong(what: str) -> Problem:
    return Problem("invalid_request", params={"what": what})
