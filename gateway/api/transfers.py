"""`POST /transfers`, `GET /transfers/{id}`, `GET /bundles/{id}`: the company's doors to one citizen's data.

Every call carries a DPoP-bound access token of one grant; the live consent is joined each time. Another
client's transfer or bundle is `not_found`, not forbidden.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from consent import repository as consents
from consent import repository_use
from consent.clock import Clock
from consent.events import Event
from consent.items import from_details
from consent.journal import Journal
from consent.subjects import SubjectId
from gateway.api import authzen, precheck
from gateway.api.schemas import ItemOutcome, ReasonedItem, TransferAsk, TransferDecision, TransferStatus
from gateway.database import Database
from gateway.errors import Language, Problem
from gateway.oauth.bearer import AuthenticatedClient, ResourceServer
from gateway.policy import record
from gateway.policy.authzen import Decide
from gateway.policy.decision import Decision
from gateway.policy.reasons import text
from gateway.policy.tables import PolicyDecisionRow
from gateway.responses import language_of
from gateway.transfers import repository
from gateway.transfers.ask import Answer, Ask, Asking, Kind
from gateway.transfers.changed import sealed_within
from gateway.transfers.job import ended
from gateway.transfers.question import Caller
from gateway.transfers.states import State
from gateway.transfers.tables import BundleRow, TransferRow
from gateway.transfers.worker import Worker

MAX_BODY = 16 * 1024
_KEY = re.compile(r"[\x21-\x7e]{8,128}")


@dataclass(frozen=True, slots=True)
class Doors:
    """What the company's doors need, handed in once."""

    issuer: str
    database: Database
    resource: ResourceServer
    asking: Asking
    worker: Worker
    journal: Journal
    clock: Clock

    async def ask(self, request: Request) -> tuple[Answer, Language]:
        """Answer a request for a transfer."""
        client = await self.resource.for_grant(request)
        key, asked = _key(request), await _body(request)
        answer = await self.asking.ask(_ask_of(client, key, asked.items, asked.kind))
        self.worker.wake()
        return answer, language_of(request)

    async def prechecked(self, request: Request) -> tuple[precheck.Question, precheck.Names, Language]:
        """The question a caller may ask about its own grant, and the items of this request."""
        client = await self.resource.for_grant(request)
        return self._question(client), (await _body(request)).items, language_of(request)

    async def authzen(self, request: Request) -> Decide:
        """What answers this caller's AuthZEN evaluations."""
        client = await self.resource.for_grant(request)
        question = self._question(client)
        return precheck.authzen(client.client.id, client.grant.consent_id, question, language_of(request))

    def _question(self, client: AuthenticatedClient) -> precheck.Question:
        async def question(names: tuple[str, ...] | None, purpose: str | None) -> Decision:
            return await self.asking.would(_ask_of(client, "precheck", names), purpose)

        return question

    async def find(self, request: Request, transfer_id: str) -> tuple[TransferRow, PolicyDecisionRow]:
        """The caller's own transfer and its decision."""
        client = await self.resource.for_grant(request)
        async with self.database.reading() as session:
            row = await repository.transfer(session, transfer_id)
            decision = await record.find(session, row.decision_id) if row else None
        if row is None or decision is None or not _own(row, client):
            raise Problem("not_found")
        return row, decision

    async def bundle(self, request: Request, bundle_id: str) -> BundleRow:
        """The caller's own sealed bundle, once it may be fetched; its delivery is entered with it."""
        client = await self.resource.for_grant(request)
        await self.asking.log.refuse_if_behind()
        now = int(self.clock().timestamp())
        async with self.database.transaction() as session:
            live = await consents.load(session, client.grant.consent_id, lock=True)
            if why := ended(live, client.grant.consent_version, now):
                raise Problem(why)
            found = await repository.bundle(session, bundle_id)
            transfer = await repository.transfer(session, found.transfer_id) if found else None
            if found is None or transfer is None or not _own(transfer, client) or not found.sealed:
                raise Problem("not_found")
            if found.expires_at <= now:
                raise Problem("bundle_expired")
            if not sealed_within(transfer.outcome, from_details(client.grant.details)):
                raise Problem("token_wrong_door")
            if transfer.state != State.READY:
                raise Problem("bundle_not_ready", retry_after=1)
            await repository.delivered(session, found.id, now)
            await repository_use.received(session, transfer.id, now)
            await self.journal.append(
                session,
                Event.BUNDLE_DELIVERY_SENT,
                subject=SubjectId(transfer.subject_id),
                party=client.client.id,
                payload={"bundle": found.id, "transfer": transfer.id, "manifest": found.manifest_hash},
                at=now,
            )
        return found


def router(doors: Doors) -> APIRouter:
    """The routes, with their schemas in the OpenAPI document."""
    routes = APIRouter(tags=["transfers"])
    precheck.add(routes, doors.prechecked)
    routes.routes.extend(authzen.routes(doors.issuer, doors.authzen))

    @routes.post("/transfers", status_code=202, response_model=TransferStatus)
    async def ask(request: Request, response: Response) -> TransferStatus:
        """Ask for a transfer. 202 with the decision; 403 `transfer_refused` when policy refuses all of it."""
        answer, language = await doors.ask(request)
        if answer.transfer is None:
            raise _refused(answer.decision, language)
        response.headers["Location"] = f"{doors.issuer}/transfers/{answer.transfer.id}"
        return _status(doors, answer.transfer, answer.decision, language)

    @routes.get("/transfers/{transfer_id}", response_model=TransferStatus)
    async def status(request: Request, transfer_id: str) -> TransferStatus:
        """How far a transfer is; what was asked, sent, missing and why."""
        row, decision = await doors.find(request, transfer_id)
        return _status(doors, row, decision, language_of(request))

    @routes.get("/bundles/{bundle_id}", response_class=Response)
    async def bundle(request: Request, bundle_id: str) -> Response:
        """The sealed bundle (`mdb/1`)."""
        found = await doors.bundle(request, bundle_id)
        headers = {"Content-Disposition": f'attachment; filename="{found.id}.mdb"'}
        return Response(found.sealed, media_type="application/vnd.mydata.bundle", headers=headers)

    return routes


def _ask_of(client: AuthenticatedClient, key: str, names: tuple[str, ...] | None, kind: Kind = "user") -> Ask:
    return Ask(
        caller=Caller(
            id=client.client.id,
            active=client.client.active,
            kinds=client.client.kinds,
            country=client.client.country,
            token_version=client.grant.consent.version,
        ),
        grant_id=client.grant.id,
        consent_id=client.grant.consent_id,
        subject=SubjectId(client.grant.subject_id),
        key=key,
        names=names,
        within=from_details(client.grant.details),
        kind=kind,
    )


def _own(row: TransferRow, client: AuthenticatedClient) -> bool:
    return row.client_id == client.client.id and row.consent_id == client.grant.consent_id


def _key(request: Request) -> str:
    keys = request.headers.getlist("idempotency-key")
    if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
        raise Problem("idempotency_key_needed")
    return keys[0]


async def _body(request: Request) -> TransferAsk:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise Problem("too_large")
    try:
        return TransferAsk.model_validate_json(raw or b"{}")
    except ValidationError as error:
        place = ".".join(str(step) for step in error.errors()[0]["loc"]) or "body"
        raise Problem("invalid_request", params={"what": place}) from error


def _refused(decision: PolicyDecisionRow, language: Language) -> Problem:
    withheld: list[dict[str, Any]] = orjson.loads(decision.withheld)
    codes: list[dict[str, Any]] = orjson.loads(decision.codes)
    reasons = [
        {
            **({"item": f"{why['holder']}/{why['dataset']}"} if "dataset" in why else {}),
            "code": why["code"],
            "article": why["article"] or "",
            "text": text(why["code"], language, why["params"]),
        }
        for why in (*withheld, *codes)
    ]
    return Problem("transfer_refused", params={"decision": decision.id, "reasons": reasons})


def _status(
    doors: Doors, row: TransferRow, decision: PolicyDecisionRow, language: Language
) -> TransferStatus:
    outcome = orjson.loads(row.outcome) if row.outcome else []
    ready = row.state == State.READY
    return TransferStatus(
        id=row.id,
        state=row.state,
        consent_id=row.consent_id,
        consent_version=row.consent_version,
        reason=row.reason,
        decision=_decision(decision, language),
        items=[ItemOutcome(**{k: v for k, v in one.items() if k in _SHOWN}) for one in outcome],
        bundle=f"{doors.issuer}/bundles/{row.bundle_id}" if ready and row.bundle_id else None,
    )


_SHOWN = frozenset(ItemOutcome.model_fields)


def _decision(row: PolicyDecisionRow, language: Language) -> TransferDecision:
    withheld: list[dict[str, Any]] = orjson.loads(row.withheld)
    return TransferDecision(
        id=row.id,
        allow=row.allow,
        engine=row.engine,
        revision=row.revision,
        granted=[f"{g['holder']}/{g['dataset']}" for g in orjson.loads(row.granted)],
        withheld=[
            ReasonedItem(
                item=f"{w['holder']}/{w['dataset']}",
                code=w["code"],
                article=w["article"] or "",
                text=text(w["code"], language, w["params"]),
            )
            for w in withheld
        ],
        obligations=orjson.loads(row.obligations),
    )
