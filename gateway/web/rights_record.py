"""GET /rights: every portability request of the signed-in citizen as data, to oneself and to third parties.

A request to a third party (제3자전송요구) is the consent itself, and what came of it its transfers: nothing
is stored twice. Decree 42-6(11): who asked what of whom, what was sent and received, what was refused, why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import RowMapping, Table, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from consent import repository as consents
from consent import repository_use
from consent import rights_repository as repository
from consent.agents import agents_of
from consent.exclusions import exclusions
from consent.records import Consent
from consent.refusal_grounds import ground_of
from consent.rights import Agent, Kind, Received, SelfRequest
from consent.subjects import SubjectId
from consent.usage import ItemOutcome
from gateway.errors import Problem
from gateway.oauth import clients
from gateway.policy.tables import PolicyDecisionRow
from gateway.transfers.tables import BundleRow, TransferRow
from gateway.web import paging
from gateway.web.site import Site

TRANSFERS = 20
"""So many of the newest transfers are told of each request to a third party."""

_CONSENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_TRANSFER: Table = TransferRow.__table__  # type: ignore[attr-defined]
_DECISION: Table = PolicyDecisionRow.__table__  # type: ignore[attr-defined]
_BUNDLE: Table = BundleRow.__table__  # type: ignore[attr-defined]


class RightsRecord:
    """The endpoint of the citizen's own record."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET /rights?kind=self|third_party: a page of requests, newest first, and where the next begins.

        With `consent` the one request that is this consent; Problem `consent_not_found` for another's.
        """
        kind, consent_id = _asked(request)
        before = paging.before(request)
        async with self._site.database.reading() as session:
            citizen = await self._site.sessions.find(session, request)
            if citizen is None:
                raise Problem("sign_in_needed")
            subject = SubjectId(citizen.subject)
            if consent_id is not None:
                given = [await _own_consent(session, subject, consent_id)]
            elif kind is Kind.THIRD_PARTY:
                given = await consents.of_subject(session, subject, limit=paging.PAGE + 1, before=before)
            if kind is Kind.SELF:
                found = await repository.of_subject(session, subject, limit=paging.PAGE + 1, before=before)
                records = [own_record(one) for one in found]
                places = [(one.asked_at, one.id) for one in found]
            else:
                records = [await third_party_record(session, one) for one in given]
                places = [(one.created_at, one.id) for one in given]
        more = (
            f"{places[paging.PAGE - 1][0]}.{places[paging.PAGE - 1][1]}"
            if len(places) > paging.PAGE
            else None
        )
        page = {"kind": kind.value, "requests": records[: paging.PAGE], "before": more}
        headers = {"cache-control": "no-store"}
        return Response(orjson.dumps(page), media_type="application/json", headers=headers)


def _asked(request: Request) -> tuple[Kind, str | None]:
    """Which kind, and of which consent alone. Problem `invalid_request` for anything else in the address."""
    named = dict(request.query_params)
    if set(named) - {"kind", "before", "consent"} or len(request.query_params.multi_items()) != len(named):
        raise Problem("invalid_request", params={"what": "a parameter"})
    consent_id = named.get("consent")
    kind = named.get("kind", Kind.SELF.value if consent_id is None else Kind.THIRD_PARTY.value)
    if kind not in list(Kind) or (consent_id is not None and kind != Kind.THIRD_PARTY.value):
        raise Problem("invalid_request", params={"what": "kind"})
    if consent_id is not None and not _CONSENT_ID.fullmatch(consent_id):
        raise Problem("consent_not_found")
    return Kind(kind), consent_id


async def _own_consent(session: AsyncSession, subject: SubjectId, consent_id: str) -> Consent:
    found = await consents.load(session, consent_id)
    if found is None or found.subject != subject:
        raise Problem("consent_not_found")
    return found


def own_record(request: SelfRequest) -> dict[str, Any]:
    """A request to oneself with every field the law has kept."""
    return {
        "id": request.id,
        "kind": Kind.SELF.value,
        "asked_at": request.asked_at,
        "verification": request.verification,
        "purpose": request.purpose,
        "holders": list(request.holders),
        "recipient": {"id": "self", "kinds": {}},
        "items": [
            {
                "item": item.name,
                "fields": list(item.fields),
                "excluded": dict(item.excluded),
                "frequency": "once",
            }
            for item in request.items
        ],
        "state": request.state.value,
        "end_at": request.held_until or request.end_at,
        "delay": _delay(request.delayed_at, request.delay_reason, request.solved_at),
        "refusal": _refusal(request.reason, request.told_at) if request.reason else None,
        "received": [_received(one) for one in request.received],
        "fetched_at": request.fetched_at,
        "decision": {
            "id": request.decided.id,
            "revision": request.decided.revision,
            "obligations": list(request.decided.obligations),
        },
        "agent": _agent(request.agent),
    }


async def third_party_record(session: AsyncSession, consent: Consent) -> dict[str, Any]:
    """A request to a third party: the consent, its recipient, and its newest transfers, item by item."""
    client, terms = await clients.find(session, consent.client_id), consent.terms
    rows = await _transfers(session, consent.id)
    agents = await agents_of(session, [consent.mandate])
    outcomes = await repository_use.of_transfers(session, [row["id"] for row in rows])
    return {
        "id": consent.id,
        "kind": Kind.THIRD_PARTY.value,
        "asked_at": consent.created_at,
        "verification": consent.verification,
        "agent": _agent(agents.get(consent.mandate or "")),
        "purpose": terms.purpose,
        "holders": list(terms.holders),
        "recipient": {"id": consent.client_id, "kinds": dict(client.kinds) if client else {}},
        "items": [
            {
                "item": item.name,
                "fields": list(item.fields),
                "excluded": {
                    name: why
                    for name, why in exclusions().get(item.dataset, {}).items()
                    if name not in item.fields
                },
                "frequency": item.frequency,
            }
            for item in terms.items
        ],
        "state": consent.state.value,
        "by": consent.by.value,
        "why": consent.why,
        "end_at": terms.end_at,
        "retention": terms.retention,
        "transfers": [_transfer(row, outcomes) for row in rows],
    }


async def _transfers(session: AsyncSession, consent_id: str) -> Sequence[RowMapping]:
    """The newest transfers of a consent, each with its decision and, once there is one, its bundle."""
    joined = _TRANSFER.join(_DECISION, _DECISION.c.id == _TRANSFER.c.decision_id)
    joined = joined.outerjoin(_BUNDLE, _BUNDLE.c.id == _TRANSFER.c.bundle_id)
    told = (_DECISION.c.revision, _DECISION.c.obligations, _BUNDLE.c.manifest_hash)
    query = select(_TRANSFER, *told).select_from(joined).where(_TRANSFER.c.consent_id == consent_id)
    newest = query.order_by(_TRANSFER.c.created_at.desc(), _TRANSFER.c.id.desc()).limit(TRANSFERS)
    return (await session.execute(newest)).mappings().all()


def _transfer(row: RowMapping, outcomes: Sequence[ItemOutcome]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "asked_at": row["created_at"],
        "state": row["state"],
        "kind": row["kind"],
        "reason": row["reason"] or None,
        "bundle": {"id": row["bundle_id"], "manifest": row["manifest_hash"]} if row["bundle_id"] else None,
        "delay": _delay(row["delayed_at"], row["delay_reason"], row["solved_at"]),
        "decision": {
            "id": row["decision_id"],
            "revision": row["revision"],
            "obligations": sorted(one["type"] for one in orjson.loads(row["obligations"])),
        },
        "items": [_item(one) for one in outcomes if one.transfer_id == row["id"]],
    }


def _item(one: ItemOutcome) -> dict[str, Any]:
    return {
        "item": one.item,
        "asked": list(one.asked),
        "sent": list(one.sent),
        "outcome": one.outcome,
        "records": one.records,
        "sent_at": one.at if one.sent else None,
        "received_at": one.received_at,
        "refusal": _refusal(one.reason, one.at) if one.reason else None,
    }


def _received(one: Received) -> dict[str, Any]:
    refusal = {"reason": one.reason, "ground": one.ground.value if one.ground else None}
    return {"item": one.item, "outcome": one.outcome, "records": one.records, "at": one.at, **refusal}


def _agent(agent: Agent | None) -> dict[str, str] | None:
    """Who asked for the citizen, and how that was agreed; None: the citizen asked."""
    return None if agent is None else {"role": agent.role, "method": agent.method}


def _delay(at: int | None, reason: str | None, solved_at: int | None) -> dict[str, Any] | None:
    return None if at is None else {"told_at": at, "reason": reason, "solved_at": solved_at}


def _refusal(reason: str | None, told_at: int | None) -> dict[str, Any]:
    ground = ground_of(reason)
    return {"reason": reason, "ground": ground.value if ground else None, "told_at": told_at}
