"""The journal: entries commit with the change, in an unbroken chain, once each."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import func, select

from consent.events import Event
from consent.journal import Appended, Journal, JournalError, payload_context
from consent.ledger.entry import decode
from consent.ledger.tree import leaf_hash
from consent.ledger_tables import OUTBOX, PAYLOAD
from consent.subjects import SUBJECT, SubjectError, SubjectId, SubjectKeys, commit
from gateway.database import Database

AT = 1_790_000_000
KEYS = SubjectKeys(bytes(range(32)))
JOURNAL = Journal(KEYS, "gateway-1")


async def given(
    database: Database, subject: SubjectId | None, payload: dict[str, Any], idem: str | None = None
) -> Appended:
    """Append one event in a transaction of its own."""
    async with database.transaction() as session:
        return await JOURNAL.append(
            session,
            Event.CONSENT_GRANT_GIVEN,
            subject=subject,
            party="deundeun-budget",
            payload=payload,
            at=AT,
            idem=idem,
        )


async def citizen(database: Database) -> SubjectId:
    """A citizen with a key and no events."""
    async with database.transaction() as session:
        return await KEYS.create(session)


async def count(database: Database, table: Any) -> int:
    """How many rows a table has."""
    async with database.reading() as session:
        return int((await session.execute(select(func.count()).select_from(table))).scalar_one())


async def test_an_event_commits_to_its_payload(database: Database) -> None:
    """The outbox entry carries tag and commitment that the citizen's key opens to the payload."""
    subject = await citizen(database)
    appended = await given(
        database, subject, {"purpose": "household-finance", "items": ["a/b"], "동의": True}
    )
    async with database.reading() as session:
        key = await KEYS.key(session, subject)
        entry_bytes = (await session.execute(select(OUTBOX.c.entry))).scalar_one()
        row = (await session.execute(select(PAYLOAD))).one()
    entry = decode(entry_bytes)
    body = key.unseal(row.body, payload_context(subject, 1))

    assert (entry.at, entry.kind, entry.party) == (AT, "consent:grant:given", "deundeun-budget")
    assert (entry.tag, entry.commitment) == (key.tag(1), key.com(1, body))
    assert (appended.n, appended.tag, appended.leaf) == (1, entry.tag, leaf_hash(entry_bytes))
    assert json.loads(body) == {
        "event": "consent:grant:given",
        "by": "gateway-1",
        "n": 1,
        "prev": None,
        "body": {"purpose": "household-finance", "items": ["a/b"], "동의": True},
    }
    assert b"household" not in row.body
    assert row.salt is None


async def test_an_event_of_no_citizen_has_a_salt_of_its_own(database: Database) -> None:
    """Without a citizen there is no tag; payload and salt are kept plain and open the commitment."""
    appended = await given(database, None, {"revision": "r1"})
    async with database.reading() as session:
        entry = decode((await session.execute(select(OUTBOX.c.entry))).scalar_one())
        row = (await session.execute(select(PAYLOAD))).one()

    assert (appended.n, appended.tag, entry.tag) == (None, None, None)
    assert entry.commitment == commit(row.salt, row.body)
    assert json.loads(row.body)["body"] == {"revision": "r1"}


async def test_the_chain_is_unbroken(database: Database) -> None:
    """Each event names the leaf hash of the citizen's event before it; citizens do not mix."""
    first, second = await citizen(database), await citizen(database)
    mine = [await given(database, s, {"i": i}) for i, s in enumerate([first, second, first, None, first])]
    async with database.reading() as session:
        key = await KEYS.key(session, first)
        query = select(PAYLOAD.c.n, PAYLOAD.c.body).where(PAYLOAD.c.subject == first).order_by(PAYLOAD.c.n)
        rows = (await session.execute(query)).all()
    bodies = [json.loads(key.unseal(row.body, payload_context(first, row.n))) for row in rows]

    assert [body["n"] for body in bodies] == [1, 2, 3]
    assert [body["prev"] for body in bodies] == [None, mine[0].leaf.hex(), mine[2].leaf.hex()]


async def test_the_same_idem_adds_nothing(database: Database) -> None:
    """A repeated call gives the first answer, whatever its payload, and leaves no gap in the numbers."""
    subject = await citizen(database)
    first = await given(database, subject, {"i": 1}, idem="grant-1")
    again = await given(database, subject, {"i": 2}, idem="grant-1")
    other = await given(database, subject, {"i": 3}, idem="grant-2")
    plain = [await given(database, None, {}, idem="opened") for _ in range(2)]

    assert first == again
    assert (other.n, plain[0]) == (2, plain[1])
    assert await count(database, OUTBOX) == await count(database, PAYLOAD) == 3


async def test_many_writers_at_once_leave_no_gap(database: Database) -> None:
    """Concurrent appends for one citizen, half of them repeated, give gapless numbers and no duplicates."""
    subject = await citizen(database)
    done = await asyncio.gather(
        *(given(database, subject, {"i": i}, idem=f"event-{i // 2}") for i in range(24)),
        *(given(database, None, {"i": i}, idem=f"plain-{i // 4}") for i in range(12)),
    )

    assert sorted({a.n for a in done if a.n is not None}) == list(range(1, 13))
    assert all(done[i] == done[i + 1] for i in range(0, 24, 2))
    assert await count(database, OUTBOX) == await count(database, PAYLOAD) == 15


async def test_a_rolled_back_change_said_nothing(database: Database) -> None:
    """If the change does not commit, neither does its entry, and the next one takes its number."""
    subject = await citizen(database)
    with pytest.raises(RuntimeError, match="change failed"):
        async with database.transaction() as session:
            await JOURNAL.append(
                session, Event.CONSENT_GRANT_GIVEN, subject=subject, party="p", payload={}, at=AT, idem="x"
            )
            raise RuntimeError("change failed")

    assert await count(database, OUTBOX) == await count(database, PAYLOAD) == 0
    assert (await given(database, subject, {}, idem="x")).n == 1


UNFIT: list[dict[str, Any]] = [
    *({"amount": 1.5}, {"at": AT + 0.0}, {"x": {1: 2}}, {"x": b"bytes"}, {"x": {1, 2}}),
    *({"x": 1 << 60}, {"x": "\ud800"}),
]


async def test_payloads_that_have_no_one_form_are_refused(database: Database) -> None:
    """Fractions, bytes, huge numbers and broken text are refused before anything is changed."""
    subject = await citizen(database)
    for payload in UNFIT:
        async with database.transaction() as session:
            with pytest.raises(JournalError, match="ledger_payload"):
                await JOURNAL.append(
                    session, Event.CONSENT_GRANT_GIVEN, subject=subject, party="p", payload=payload, at=AT
                )

    assert (await given(database, subject, {})).n == 1


async def test_a_person_cannot_be_a_party(database: Database) -> None:
    """The visible part of an entry takes organisation ids and times only."""
    for party, at in [("kim@example.org", AT), ("홍길동", AT), ("", AT), ("p", -1)]:
        async with database.transaction() as session:
            with pytest.raises(JournalError, match="ledger_payload"):
                await JOURNAL.append(
                    session, Event.CONSENT_GRANT_GIVEN, subject=None, party=party, payload={}, at=at
                )

    assert await count(database, OUTBOX) == 0


async def test_unknown_and_erased_citizens_are_refused(database: Database) -> None:
    """Nothing is appended for a citizen who is not there, or not any more."""
    subject = await citizen(database)
    async with database.transaction() as session:
        await KEYS.erase(session, subject)

    with pytest.raises(SubjectError, match="subject_erased"):
        await given(database, subject, {})
    with pytest.raises(SubjectError, match="subject_unknown"):
        await given(database, SubjectId("s-none"), {})
    assert await count(database, OUTBOX) == 0


async def test_forgetting_destroys_every_opening(database: Database) -> None:
    """After erasure the entries stay and nothing stored ties them to the citizen; others are untouched."""
    subject, other = await citizen(database), await citizen(database)
    await given(database, subject, {"i": 1}, idem="mine")
    await given(database, other, {"i": 2})
    async with database.transaction() as session:
        last = await JOURNAL.forget(session, subject, party="gateway", at=AT)
    async with database.reading() as session:
        entries = [decode(entry) for entry in (await session.execute(select(OUTBOX.c.entry))).scalars()]
        owners = (await session.execute(select(PAYLOAD.c.subject))).scalars().all()
        row = (await session.execute(select(SUBJECT).where(SUBJECT.c.id == subject))).one()

    assert (last.n, entries[-1].kind) == (2, "subject:record:erased")
    assert len(entries) == 3
    assert owners == [other]
    assert (row.wrapped, row.head) == (None, None)
