"""All SQL of citizens' requests for their own data. Runs in the caller's transaction, never commits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import orjson
from sqlalchemy import RowMapping, and_, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from consent.errors import MoveError
from consent.refusal_grounds import Ground
from consent.rights import Agent, AskedItem, Decided, Received, SelfRequest, State
from consent.rights_tables import HOLDING, OPEN_NOW, WORK, SelfRequestRow
from consent.subjects import SubjectId
from consent.tables import table_of

_REQUEST = table_of(SelfRequestRow)


def digest_of(items: Sequence[AskedItem], history_from: date | None) -> str:
    """SHA-256 (hex) of what is asked, whatever the order."""
    asked = sorted([item.name, *sorted(item.fields)] for item in items)
    return hashlib.sha256(orjson.dumps([str(history_from), asked])).hexdigest()


async def add(session: AsyncSession, request: SelfRequest) -> bool:
    """Store a new request; False, nothing stored, if it is there or the same is open for this citizen."""
    dialect = session.get_bind().dialect.name
    made = postgresql.insert(_REQUEST) if dialect == "postgresql" else sqlite.insert(_REQUEST)
    values = {
        "id": request.id,
        "subject_id": request.subject,
        "digest": digest_of(request.items, request.history_from),
        "verification": request.verification,
        "purpose": request.purpose,
        "asked": orjson.dumps([asdict(item) for item in request.items]).decode(),
        "agent_role": request.agent.role if request.agent else None,
        "agent_method": request.agent.method if request.agent else None,
        "history_from": request.history_from.isoformat() if request.history_from else None,
        "asked_at": request.asked_at,
        "end_at": request.end_at,
        "decision_id": request.decided.id,
        "revision": request.decided.revision,
        "obligations": orjson.dumps(request.decided.obligations).decode(),
        "lease_until": 0,
        "attempts": 0,
        "sealed": b"",
        **_moving(request),
    }
    stored = made.on_conflict_do_nothing().values(**values).returning(_REQUEST.c.id)
    return (await session.execute(stored)).one_or_none() is not None


async def replace(
    session: AsyncSession, before: SelfRequest, after: SelfRequest, *, sealed: bytes | None = None
) -> None:
    """Compare-and-set on (id, version, state); `sealed` replaces what is kept of the data.

    Raises MoveError `right_moved_on` when `before` is not how the request stands; nothing is written then.
    """
    same = and_(
        _REQUEST.c.id == before.id,
        _REQUEST.c.version == before.version,
        _REQUEST.c.state == before.state.value,
    )
    kept = {} if sealed is None else {"sealed": sealed}
    moved = update(_REQUEST).where(same).values(**_moving(after), **kept).returning(_REQUEST.c.id)
    if (await session.execute(moved)).one_or_none() is None:
        raise MoveError("right_moved_on")


async def load(session: AsyncSession, request_id: str, *, lock: bool = False) -> SelfRequest | None:
    """The request as it stands. With `lock` nobody else can move it until the transaction ends."""
    query = select(_REQUEST).where(_REQUEST.c.id == request_id)
    row = (await session.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return None if row is None else _decode(row)


async def sealed_of(session: AsyncSession, request_id: str) -> bytes:
    """What is kept of the data, sealed under the citizen's key; empty if nothing is."""
    found = await session.execute(select(_REQUEST.c.sealed).where(_REQUEST.c.id == request_id))
    return bytes(found.scalar_one_or_none() or b"")


async def open_like(session: AsyncSession, subject: SubjectId, digest: str) -> SelfRequest | None:
    """The citizen's open request for the very same thing, if there is one."""
    query = select(_REQUEST).where(_REQUEST.c.subject_id == subject, _REQUEST.c.digest == digest, OPEN_NOW)
    row = (await session.execute(query)).mappings().one_or_none()
    return None if row is None else _decode(row)


async def of_subject(
    session: AsyncSession, subject: SubjectId, *, limit: int, before: tuple[int, str] | None = None
) -> list[SelfRequest]:
    """The citizen's newest `limit` requests; `before`: (`asked_at`, `id`) of the last of the page before."""
    query = select(_REQUEST).where(_REQUEST.c.subject_id == subject)
    if before is not None:
        query = query.where(tuple_(_REQUEST.c.asked_at, _REQUEST.c.id) < before)
    newest = query.order_by(_REQUEST.c.asked_at.desc(), _REQUEST.c.id.desc()).limit(limit)
    return [_decode(row) for row in (await session.execute(newest)).mappings()]


async def asked_since(session: AsyncSession, subject: SubjectId, since: int) -> int:
    """How many requests the citizen made after the epoch second `since`."""
    query = select(func.count()).where(_REQUEST.c.subject_id == subject, _REQUEST.c.asked_at > since)
    return int((await session.execute(query)).scalar_one())


async def claim(session: AsyncSession, now: int, seconds: int) -> SelfRequest | None:
    """Take the request that waited longest and nobody holds, for `seconds`. Atomic: one worker gets it."""
    free = and_(WORK, _REQUEST.c.lease_until < now)
    oldest = select(_REQUEST.c.id).where(free).order_by(_REQUEST.c.lease_until, _REQUEST.c.id).limit(1)
    if session.get_bind().dialect.name == "postgresql":
        oldest = oldest.with_for_update(skip_locked=True)
    taken = update(_REQUEST).where(_REQUEST.c.id == oldest.scalar_subquery(), free)
    taken = taken.values(lease_until=now + seconds, attempts=_REQUEST.c.attempts + 1)
    row = (await session.execute(taken.returning(_REQUEST))).mappings().one_or_none()
    return None if row is None else _decode(row)


async def progress(session: AsyncSession, request: SelfRequest, sealed: bytes) -> None:
    """Keep what came so far of a request that goes on; no move, so nobody is told."""
    mine = (_REQUEST.c.id == request.id) & (_REQUEST.c.version == request.version)
    values = {"received": _moving(request)["received"], "open_items": len(request.pending), "sealed": sealed}
    await session.execute(update(_REQUEST).where(mine).values(**values))


async def hold(session: AsyncSession, request_id: str, until: int) -> None:
    """Nobody takes the request before `until`: a lease renewed, or given back until then."""
    await session.execute(update(_REQUEST).where(_REQUEST.c.id == request_id).values(lease_until=until))


async def attempts_of(session: AsyncSession, request_id: str) -> int:
    """How often a worker has taken the request."""
    query = select(_REQUEST.c.attempts).where(_REQUEST.c.id == request_id)
    return int((await session.execute(query)).scalar_one())


async def late(session: AsyncSession, asked_before: int, limit: int) -> list[SelfRequest]:
    """Requests asked before then of which something is still to come and nobody was told yet."""
    untold = _REQUEST.c.delayed_at.is_(None) & _REQUEST.c.asked_at.__le__(asked_before)
    query = select(_REQUEST).where(OPEN_NOW, untold).order_by(_REQUEST.c.asked_at, _REQUEST.c.id).limit(limit)
    return [_decode(row) for row in (await session.execute(query)).mappings()]


async def run_out(session: AsyncSession, now: int, limit: int) -> list[SelfRequest]:
    """Requests whose file has had its time."""
    query = select(_REQUEST).where(HOLDING, _REQUEST.c.held_until <= now)
    oldest = query.order_by(_REQUEST.c.held_until, _REQUEST.c.id).limit(limit)
    return [_decode(row) for row in (await session.execute(oldest)).mappings()]


def _moving(request: SelfRequest) -> dict[str, Any]:
    """The columns a move may change."""
    received = [asdict(one) for one in request.received]
    alive = request.state.value in ("asked", "pulling", "ready", "fetched")
    return {
        "state": request.state.value,
        "version": request.version,
        "changed_at": request.changed_at,
        "received": orjson.dumps(received).decode(),
        "open_items": len(request.pending) if alive else 0,
        "reason": request.reason,
        "ground": request.ground.value if request.ground else None,
        "told_at": request.told_at,
        "delayed_at": request.delayed_at,
        "delay_reason": request.delay_reason,
        "solved_at": request.solved_at,
        "ready_at": request.ready_at,
        "fetched_at": request.fetched_at,
        "held_until": request.held_until,
    }


_SAME = (
    *("id", "version", "verification", "purpose", "asked_at", "changed_at", "end_at", "reason", "told_at"),
    *("delayed_at", "delay_reason", "solved_at", "ready_at", "fetched_at", "held_until"),
)


def _decode(row: RowMapping) -> SelfRequest:
    history = row["history_from"]
    asked = orjson.loads(row["asked"])
    return SelfRequest(
        subject=SubjectId(row["subject_id"]),
        state=State(row["state"]),
        items=tuple(AskedItem(**{**one, "fields": tuple(one["fields"])}) for one in asked),
        history_from=date.fromisoformat(history) if history else None,
        decided=Decided(row["decision_id"], row["revision"], tuple(orjson.loads(row["obligations"]))),
        agent=Agent(row["agent_role"], row["agent_method"] or "") if row["agent_role"] else None,
        received=tuple(_received(one) for one in orjson.loads(row["received"])),
        ground=Ground(row["ground"]) if row["ground"] else None,
        **{name: row[name] for name in _SAME},
    )


def _received(one: dict[str, Any]) -> Received:
    return Received(**{**one, "ground": Ground(one["ground"]) if one["ground"] else None})
