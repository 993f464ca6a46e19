"""The row of a decision: canonical, sealed, in the caller's transaction, erasable only where it should be."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from gateway.database import Database
from gateway.policy.bundle import load
from gateway.policy.decide import decide
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.question import parse
from gateway.policy.record import canonical_of, decision_id, find, forget_inputs, of_consent, record
from tests.policy.table import question

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


def seal(data: bytes) -> bytes:
    """A stand-in for the citizen's key: not readable at a glance, and undone by itself."""
    return bytes(byte ^ 0x5A for byte in data)


async def test_a_decision_is_kept_and_replays(database: Database) -> None:
    """The row gives back the decision's very bytes, and its opened question decides to them again."""
    engine = EmbeddedEngine(load())
    asked = question({"op": "replace", "path": "/consent/items/0/fields", "value": ["trans_amt"]})
    decision = await decide(engine, asked)
    async with database.transaction() as session:
        row = await record(session, asked, decision, at=AT, seal=seal)
    async with database.reading() as session:
        kept = await find(session, row.id)
    assert kept is not None
    assert kept.at == int(AT.timestamp())
    assert (kept.allow, kept.available, kept.consent_version) == (True, True, 2)
    assert (kept.revision, kept.engine) == (engine.revision, engine.name)
    assert canonical_of(kept) == decision.canonical()
    assert kept.sealed_input is not None
    opened = seal(kept.sealed_input)
    assert kept.input_digest == f"sha256:{hashlib.sha256(opened).hexdigest()}"
    assert b"trans_memo" not in kept.sealed_input
    assert (await decide(engine, parse(opened))).canonical() == canonical_of(kept)


async def test_a_rolled_back_change_leaves_no_row(database: Database) -> None:
    """The row lives and dies with the transaction of the change it decided."""
    decision = await decide(EmbeddedEngine(load()), question())
    with pytest.raises(RuntimeError, match="changed my mind"):
        async with database.transaction() as session:
            await record(session, question(), decision, at=AT, seal=None)
            raise RuntimeError("changed my mind")
    async with database.reading() as session:
        assert await of_consent(session, "consent-1") == []


async def test_denials_are_kept_too_newest_first(database: Database) -> None:
    """Allow and deny each leave a row; a page holds the newest first and goes on where the last one ended."""
    engine = EmbeddedEngine(load())
    for minute, age in enumerate((13, 40, 13)):
        asked = question({"op": "replace", "path": "/subject/age", "value": age})
        decision = await decide(engine, asked)
        async with database.transaction() as session:
            await record(session, asked, decision, at=AT + timedelta(minutes=minute), seal=None)
    async with database.reading() as session:
        first = await of_consent(session, "consent-1", limit=2)
        rest = await of_consent(session, "consent-1", before=first[-1].id)
        assert [row.allow for row in [*first, *rest]] == [False, True, False]
        assert "guardian_required" in first[0].codes
        assert await of_consent(session, "consent-2") == []


async def test_forgetting_drops_the_question_and_keeps_the_decision(database: Database) -> None:
    """Erasing the questions of a consent leaves the rows, their codes and digests."""
    decision = await decide(EmbeddedEngine(load()), question())
    async with database.transaction() as session:
        row = await record(session, question(), decision, at=AT, seal=seal)
        assert await forget_inputs(session, "consent-2") == 0
        assert await forget_inputs(session, "consent-1") == 1
        assert await forget_inputs(session, "consent-1") == 0
    async with database.reading() as session:
        kept = await find(session, row.id)
    assert kept is not None
    assert kept.sealed_input is None
    assert kept.input_digest
    assert canonical_of(kept) == decision.canonical()


def test_ids_sort_by_time() -> None:
    """An id is a UUIDv7: its milliseconds lead, its random tail differs."""
    made = [decision_id(AT + timedelta(milliseconds=n)) for n in range(50)]
    assert made == sorted(made)
    assert len({decision_id(AT) for _ in range(50)}) == 50
    fixed = uuid.UUID(decision_id(AT, lambda n: b"\xff" * n))
    assert (fixed.version, fixed.variant) == (7, uuid.RFC_4122)
    assert fixed.int >> 80 == int(AT.timestamp() * 1000)
