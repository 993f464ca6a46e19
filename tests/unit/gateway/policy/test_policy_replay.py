"""Replays: what can come of one, on both stores."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from consent.subjects import SubjectKey
from gateway.database import Database
from gateway.policy import revisions
from gateway.policy.bundle import PolicyBundle, load, of
from gateway.policy.decide import decide
from gateway.policy.decision import denied
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.errors import BundleInvalid
from gateway.policy.record import input_context, record
from gateway.policy.replay import Outcome, replay_with
from gateway.policy.tables import PolicyBundleRow, PolicyDecisionRow
from tests.policy.table import question

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
KEY = SubjectKey(bytes(32))


async def kept(database: Database, bundle: PolicyBundle, *, available: bool = True) -> PolicyDecisionRow:
    """A decision as the gateway leaves it, with its bundle."""
    asked = question()
    decision = (
        await decide(EmbeddedEngine(bundle), asked)
        if available
        else denied("policy_unavailable", engine="opa", revision=bundle.revision)
    )
    async with database.transaction() as session:
        await revisions.keep(session, bundle, at=1)
        return await record(
            session,
            asked,
            decision,
            at=AT,
            seal=lambda plain: KEY.seal(plain, input_context(asked.request.id)),
        )


async def outcome(database: Database, row: PolicyDecisionRow, key: SubjectKey | None = KEY) -> Outcome:
    """Replay what is stored under this row's id."""
    async with database.reading() as session:
        stored = await session.get(PolicyDecisionRow, row.id)
        assert stored is not None
        return (await replay_with(session, key, stored)).outcome


async def changed(database: Database, row: PolicyDecisionRow, **values: object) -> None:
    """Tamper with the stored row."""
    table = PolicyDecisionRow.__table__  # type: ignore[attr-defined]
    async with database.transaction() as session:
        await session.execute(update(table).where(table.c.id == row.id).values(**values))


async def test_equal_on_its_own_revision_though_another_is_in_force(database: Database) -> None:
    """A decision is made again on the bundle it was made on, whatever the policy is now."""
    bundle = load()
    note = bundle.files["mydata/law/law.rego"] + b"\n# an older edition\n"
    older = of({**bundle.files, "mydata/law/law.rego": note})
    row = await kept(database, older)
    assert row.revision != bundle.revision
    assert await outcome(database, row) is Outcome.EQUAL


async def test_what_is_gone_or_was_touched_is_said(database: Database) -> None:
    """Erased key, dropped question, another question, another answer, unknown revision: each by name."""
    row = await kept(database, load())
    assert await outcome(database, row, None) is Outcome.ERASED
    assert await outcome(database, row, SubjectKey(bytes(31) + b"1")) is Outcome.CHANGED
    await changed(database, row, revision="sha256:00")
    assert await outcome(database, row) is Outcome.REVISION_MISSING
    await changed(database, row, revision=row.revision, granted="[]", allow=False)
    assert await outcome(database, row) is Outcome.DIFFERENT
    await changed(database, row, input_digest="sha256:00")
    assert await outcome(database, row) is Outcome.CHANGED
    await changed(database, row, sealed_input=None)
    assert await outcome(database, row) is Outcome.ERASED


async def test_nothing_to_replay_where_no_engine_decided(database: Database) -> None:
    """The record of an outage says so."""
    row = await kept(database, load(), available=False)
    assert await outcome(database, row) is Outcome.NOT_DECIDED


async def test_kept_bytes_that_are_not_their_revision_are_refused(database: Database) -> None:
    """A bundle changed in the store is not run."""
    row = await kept(database, load())
    table = PolicyBundleRow.__table__  # type: ignore[attr-defined]
    other = of({**load().files, "mydata/law/law.rego": b"package mydata.law\n"})
    async with database.transaction() as session:
        await session.execute(update(table).values(archive=other.tarball()))
    with pytest.raises(BundleInvalid, match="kept bytes"):
        await outcome(database, row)


async def test_keeping_twice_keeps_the_first(database: Database) -> None:
    """A start with the same policy adds nothing; a beginning finds it, an ambiguous one does not."""
    bundle = load()
    async with database.transaction() as session:
        await revisions.keep(session, bundle, at=1)
        await revisions.keep(session, bundle, at=2)
    async with database.reading() as session:
        (only,) = await revisions.all_rows(session)
        assert (only.built_at, only.built_by) == (1, revisions.SHIPPED)
        assert revisions.opened(only).revision == bundle.revision
        found = await revisions.find(session, bundle.revision[7:19])
        assert found is not None
        assert await revisions.find(session, "sha256:zz") is None
        assert await revisions.find(session, "%") is None
