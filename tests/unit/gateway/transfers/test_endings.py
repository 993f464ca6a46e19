"""A transfer that ends without a bundle is entered once, also when the citizen's key is gone."""

from __future__ import annotations

from sqlalchemy import select

from consent.events import Event
from consent.journal import Journal
from consent.ledger.entry import Entry, decode
from consent.ledger_tables import OUTBOX
from consent.subjects import SubjectId, SubjectKeys
from gateway.database import Database
from gateway.migrations.tables import metadata
from gateway.transfers.endings import journal_end
from gateway.transfers.states import State
from gateway.transfers.tables import TransferRow

NOW = 1_800_000_000
JOURNAL = Journal(SubjectKeys(bytes(32)), "test")
assert metadata.tables


def transfer(subject: SubjectId) -> TransferRow:
    """A transfer that was being pulled."""
    return TransferRow(
        id="t-1",
        client_id="client",
        grant_id="g",
        consent_id="c-1",
        consent_version=1,
        subject_id=subject,
        idempotency_key="key-0001",
        state=State.PULLING,
        decision_id="d",
        plan=b"null",
        created_at=NOW,
        changed_at=NOW,
    )


async def entries(database: Database) -> list[Entry]:
    """What was entered."""
    async with database.reading() as session:
        return [decode(one) for one in (await session.execute(select(OUTBOX.c.entry))).scalars()]


async def test_an_ending_is_entered_once(database: Database) -> None:
    """Said twice, it stands once, under the citizen's tag."""
    async with database.transaction() as session:
        subject = await JOURNAL.keys.create(session)
    for _ in range(2):
        async with database.transaction() as session:
            await journal_end(session, JOURNAL, transfer(subject), State.FAILED, "internal", NOW)

    (entry,) = await entries(database)
    assert entry.kind == Event.TRANSFER_REQUEST_ENDED
    assert entry.tag is not None


async def test_an_ending_after_erasure_names_nobody(database: Database) -> None:
    """With the citizen's key gone the ending is still entered, without any tag."""
    async with database.transaction() as session:
        subject = await JOURNAL.keys.create(session)
        await JOURNAL.keys.erase(session, subject)
    async with database.transaction() as session:
        await journal_end(session, JOURNAL, transfer(subject), State.CANCELLED, "subject_erased", NOW)

    (entry,) = await entries(database)
    assert entry.tag is None
