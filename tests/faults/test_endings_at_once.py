"""Row 11 under stress: parties that answer at once, the deadline in between, and a process that is killed."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from consent import endings, repository, service
from consent.endings import Kind, Patience
from consent.journal import Journal
from consent.ledger_tables import PAYLOAD
from consent.records import Consent, Move, State
from consent.subjects import SubjectKeys
from consent.text import build
from gateway.database import Database
from gateway.migrations.tables import metadata
from gateway.retention.completing import completing
from tests.unit.consent.household import AT, details, parsed, wording
from tests.warm import start

MANY = 30
LATE = AT + 10 * 86_400


def journal() -> Journal:
    """A journal as any process has it."""
    return Journal(SubjectKeys(b"k" * 32), "test")


async def store(database: Database) -> None:
    """Every table."""
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


async def withdrawn(database: Database, number: int) -> Consent:
    """A consent that was given and withdrawn, its parties told."""
    terms, told = parsed(details()), journal()
    async with database.transaction() as session:
        subject = await told.keys.create(session)
        asked = service.Asked(subject, "company", f"r-{number}", terms, build(terms, wording("ko")))
        made = await service.give(session, told, asked, terms, at=AT)
        ended = await service.withdraw(session, told, made.id, subject=subject, at=AT + 1)
        await endings.tell_parties(session, ended, Patience(), AT + 1)
    return ended


async def acknowledge(database: Database, consent: Consent, kind: Kind, party: str, at: int) -> None:
    """As a door does it: the consent under lock, then the answer."""
    async with database.transaction() as session:
        held = await repository.load(session, consent.id, lock=True)
        assert held is not None
        await endings.acknowledge(session, journal(), held, kind, party, at=at)


async def complete(database: Database, at: int) -> None:
    """As the job does it."""
    async with database.transaction() as session:
        await completing(journal())(session, at)


async def sound(database: Database, consent: Consent) -> list[Consent]:
    """Exactly given, withdrawn and completed, each once with its entry."""
    async with database.reading() as session:
        versions = await repository.history(session, consent.id)
        query = select(PAYLOAD.c.idem).where(PAYLOAD.c.idem.like(f"consent:{consent.id}:%"))
        entered = sorted((await session.execute(query)).scalars())
    assert [one.state for one in versions] == [State.ACTIVE, State.WITHDRAWING, State.WITHDRAWN]
    assert entered == sorted(f"consent:{consent.id}:{one.version}" for one in versions)
    return versions


async def test_row_11_every_party_at_once_completes_once(database: Database) -> None:
    """All holders and the company, each three times, and the job, at one moment: one completion."""
    await store(database)
    consent = await withdrawn(database, 0)
    said = [(Kind.HOLDER, holder) for holder in consent.asked.holders] + [(Kind.RECIPIENT, "company")]
    acts = [acknowledge(database, consent, kind, party, AT + 5) for kind, party in said * 3]
    await asyncio.gather(*acts, *(complete(database, AT + 5) for _ in range(3)))
    assert (await sound(database, consent))[-1].why is None


async def test_row_11_the_deadline_between_answers_contradicts_nothing(database: Database) -> None:
    """Answers and the job that calls the rest silent, at the deadline: one completion, whoever was first."""
    await store(database)
    for number in range(8):
        consent = await withdrawn(database, number)
        await acknowledge(database, consent, Kind.HOLDER, consent.asked.holders[0], AT + 2)
        late = acknowledge(database, consent, Kind.RECIPIENT, "company", LATE)
        await asyncio.gather(late, complete(database, LATE), complete(database, LATE))
        versions = await sound(database, consent)
        async with database.reading() as session:
            told = await endings.parties(session, consent.id)
        (company,) = [one for one in told if one.kind is Kind.RECIPIENT]
        assert company.answer is endings.Answer.ACKNOWLEDGED
        assert versions[-1].version == 3


async def test_row_11_killed_while_completing(database: Database) -> None:
    """`kill -9` again and again among withdrawals: each is whole before and after, and all complete once."""
    await store(database)
    consents = [await withdrawn(database, number) for number in range(MANY)]
    for pause in (0.05, 0.2, 0.4, None):
        child = await start("tests.faults.completer", database.url, str(LATE))
        if pause is not None:
            await _some(database, pause)
            if child.returncode is None:
                child.kill()
        await child.wait()
    for consent in consents:
        versions = await sound(database, consent)
        assert versions[-1].why == endings.SILENT


async def _some(database: Database, pause: float) -> None:
    """A moment in which the other process may have begun."""
    await asyncio.sleep(1 + pause)


def test_row_11_a_completed_withdrawal_is_never_moved_again() -> None:
    """Nothing in the table leaves `withdrawn`, and only its completion leaves `withdrawing`."""
    from consent.records import TRANSITIONS

    assert [step for (state, step) in TRANSITIONS if state is State.WITHDRAWING] == [Move.COMPLETE]
    assert not [step for (state, step) in TRANSITIONS if state is State.WITHDRAWN]
