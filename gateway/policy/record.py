"""The record of a decision: allow and deny alike, one row each, in the caller's transaction.

The question itself stays off the log: only its digest is kept in the clear, the bytes sealed under the
citizen's key so that the decision can be replayed until that key is shredded (design 3.7).
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import rfc8785
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.policy.decision import Decision
from gateway.policy.question import Question
from gateway.policy.tables import PolicyDecisionRow

Seal = Callable[[bytes], bytes]
"""Encrypts under the citizen's key; what it returns opens only while that key exists."""


def decision_id(at: datetime, random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A UUIDv7 (RFC 9562 5.7): sorts by its millisecond."""
    value = int(at.timestamp() * 1000) << 80 | int.from_bytes(random(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def input_digest(question: bytes) -> str:
    """`sha256:` and the digest of an encoded question (RFC 8785 JSON)."""
    return f"sha256:{hashlib.sha256(question).hexdigest()}"


async def record(
    session: AsyncSession,
    question: Question,
    decision: Decision,
    *,
    at: datetime,
    seal: Seal | None,
    id: str | None = None,
) -> PolicyDecisionRow:
    """Add the row of `decision` on `question`; without `seal` the question itself is not kept.

    `id` is one `decision_id` made before, where something else had to name it first.
    """
    encoded: bytes = rfc8785.dumps(msgspec.to_builtins(question))
    row = PolicyDecisionRow(
        id=id or decision_id(at),
        at=int(at.timestamp()),
        request_id=question.request.id,
        client_id=question.client.id,
        consent_id=question.consent.id,
        consent_version=question.consent.version,
        allow=decision.allow,
        available=decision.available,
        codes=_text(decision.codes),
        granted=_text(decision.granted),
        withheld=_text(decision.withheld),
        obligations=_text(decision.obligations),
        revision=decision.revision,
        engine=decision.engine,
        eval_us=decision.eval_us,
        input_digest=input_digest(encoded),
        sealed_input=None if seal is None else seal(encoded),
    )
    session.add(row)
    await session.flush()
    return row


def input_context(request_id: str) -> str:
    """The context the question of a request is sealed under (`SubjectKey.seal`)."""
    return f"policy-input/{request_id}"


async def find(session: AsyncSession, decision: str) -> PolicyDecisionRow | None:
    """The row with this id."""
    return await session.get(PolicyDecisionRow, decision)


async def of_request(session: AsyncSession, request_id: str) -> PolicyDecisionRow | None:
    """The last decision on one request that an engine really made; one that failed is not an answer."""
    query = select(PolicyDecisionRow).where(_column("request_id") == request_id, _column("available"))
    found = await session.execute(query.order_by(_column("id").desc()).limit(1))
    return found.scalar_one_or_none()


async def asked_since(session: AsyncSession, client_id: str, consent_id: str, since: int) -> int:
    """How many decisions one recipient had under one consent after the epoch second `since`."""
    query = select(func.count()).where(
        _column("consent_id") == consent_id, _column("client_id") == client_id, _column("at") > since
    )
    return int((await session.execute(query)).scalar_one())


async def failed_on(session: AsyncSession, request_id: str) -> PolicyDecisionRow | None:
    """The first record that no engine could decide one request; None if that never happened."""
    query = select(PolicyDecisionRow).where(_column("request_id") == request_id, ~_column("available"))
    found = await session.execute(query.order_by(_column("id")).limit(1))
    return found.scalar_one_or_none()


async def of_consent(
    session: AsyncSession, consent_id: str, *, before: str | None = None, limit: int = 100
) -> Sequence[PolicyDecisionRow]:
    """Decisions on a consent, newest first; `before` is the last id of the page before."""
    query = select(PolicyDecisionRow).where(_column("consent_id") == consent_id)
    if before is not None:
        query = query.where(_column("id") < before)
    found = await session.execute(query.order_by(_column("id").desc()).limit(limit))
    return found.scalars().all()


async def forget_inputs(session: AsyncSession, consent_id: str) -> int:
    """Drop the sealed questions of a consent; the decisions stay. Returns how many were dropped."""
    done = await session.execute(
        update(PolicyDecisionRow)
        .where(_column("consent_id") == consent_id, _column("sealed_input").is_not(None))
        .values(sealed_input=None)
    )
    return int(getattr(done, "rowcount", 0))


async def between(
    session: AsyncSession, begin: int, end: int, *, after: str = "", limit: int = 200
) -> Sequence[PolicyDecisionRow]:
    """Decisions an engine made from `begin` until before `end` (epoch seconds), by id; `after` goes on."""
    query = select(PolicyDecisionRow).where(
        _column("at") >= begin, _column("at") < end, _column("available"), _column("id") > after
    )
    found = await session.execute(query.order_by(_column("id")).limit(limit))
    return found.scalars().all()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which decisions: `since` until before `until` (epoch seconds), of one client, allowed or not."""

    since: int | None = None
    until: int | None = None
    client_id: str | None = None
    allow: bool | None = None


async def newest(
    session: AsyncSession, wanted: Wanted, *, before: str | None = None, limit: int = 50
) -> Sequence[PolicyDecisionRow]:
    """Decisions that are `wanted`, the newest first; `before` is the last id of the page before."""
    query = select(PolicyDecisionRow)
    if wanted.since is not None:
        query = query.where(_column("at") >= wanted.since)
    if wanted.until is not None:
        query = query.where(_column("at") < wanted.until)
    if wanted.client_id is not None:
        query = query.where(_column("client_id") == wanted.client_id)
    if wanted.allow is not None:
        query = query.where(_column("allow").is_(wanted.allow))
    if before is not None:
        query = query.where(_column("id") < before)
    found = await session.execute(query.order_by(_column("id").desc()).limit(limit))
    return found.scalars().all()


async def count_between(session: AsyncSession, begin: int, end: int) -> int:
    """How many decisions an engine made from `begin` until before `end` (epoch seconds)."""
    query = select(func.count()).where(_column("at") >= begin, _column("at") < end, _column("available"))
    return int((await session.execute(query)).scalar_one())


def canonical_of(row: PolicyDecisionRow) -> bytes:
    """What `Decision.canonical` was when the row was written: a replay must give these very bytes."""
    names = ("codes", "granted", "withheld", "obligations")
    answer = {"allow": row.allow, **{name: msgspec.json.decode(getattr(row, name)) for name in names}}
    data: bytes = rfc8785.dumps(answer)
    return data


def _text(parts: Sequence[msgspec.Struct]) -> str:
    data: bytes = rfc8785.dumps(msgspec.to_builtins(parts))
    return data.decode()


def _column(name: str) -> Any:
    return PolicyDecisionRow.__table__.c[name]  # type: ignore[attr-defined]
