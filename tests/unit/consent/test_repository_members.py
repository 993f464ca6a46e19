"""Consortia, holder links and outcomes in the database, on each store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from consent import repository, repository_members, repository_use
from consent.consortium import Consortium
from consent.records import Move
from consent.subjects import SubjectId
from consent.text import build
from consent.usage import ItemOutcome
from gateway.database import Database
from tests.unit.consent.household import AT, BANK, consent, details, parsed, wording

CONSORTIUM = Consortium.of(
    id="consortium-2026-01",
    contract="MD-2026-001",
    holders=["hanbit-bank", "dadam-market"],
    recipients=["deundeun-budget"],
    sectors=["finance", "retail"],
    purposes=["household-finance"],
    start="2026-01-01",
    end="2027-12-31",
)
CITIZEN = SubjectId("s-1")
OUTCOME = ItemOutcome(
    consent_id="c-1",
    transfer_id="t-1",
    item=BANK,
    asked=("trans_amt", "trans_memo"),
    sent=("trans_amt",),
    withheld={"trans_memo": "not_granted"},
    records=12,
    outcome="partial",
    reason="throttled",
    article=None,
    at=AT,
)


async def test_a_consortium_comes_back_as_it_was_registered(database: Database) -> None:
    """Registering again under the same id replaces the record."""
    later = replace(CONSORTIUM, contract="MD-2026-002")
    for record in (CONSORTIUM, later):
        async with database.transaction() as session:
            await repository_members.register_consortium(session, record, AT)
    async with database.reading() as session:
        assert await repository_members.consortia(session) == [later]


async def test_a_link_is_made_once(database: Database) -> None:
    """The first sealed link of a citizen at a holder stays until it is dropped."""
    async with database.transaction() as session:
        assert await repository_members.keep_link(session, CITIZEN, "hanbit-bank", b"one", AT)
        assert not await repository_members.keep_link(session, CITIZEN, "hanbit-bank", b"two", AT)
        assert await repository_members.links(session, CITIZEN) == {"hanbit-bank": b"one"}
        await repository_members.drop_links(session, CITIZEN)
        assert await repository_members.links(session, CITIZEN) == {}


async def test_an_outcome_is_recorded_once_a_transfer(database: Database) -> None:
    """A transfer worked on twice after a crash leaves its first account."""
    async with database.transaction() as session:
        await repository.keep_text(session, build(parsed(details()), wording("ko")), AT)
        assert await repository.add(session, consent(), Move.GIVE)
        await repository_use.record(session, [OUTCOME])
        await repository_use.record(session, [replace(OUTCOME, records=99)])
    async with database.reading() as session:
        assert await repository_use.of_consent(session, "c-1") == [OUTCOME]


async def test_an_outcome_belongs_to_a_consent(database: Database) -> None:
    """Nothing can be said to be sent under a consent that does not exist."""
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            await repository_use.record(session, [OUTCOME])
