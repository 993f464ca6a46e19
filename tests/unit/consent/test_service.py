"""Consents through the database and the real journal, on each store: one move, one history row, one entry."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository, service
from consent.errors import MoveError
from consent.events import Event
from consent.journal import Journal, payload_context
from consent.ledger_tables import PAYLOAD
from consent.records import Consent, State
from consent.subjects import SubjectId, SubjectKeys
from consent.tables import ConsentRow, ConsentTextRow, ConsentVersionRow, table_of
from consent.terms import Choices, narrow, restrict
from consent.text import ShownText, build
from gateway.database import Database
from tests.unit.consent.household import AT, BANK, CATALOGUE, CLIENT, MARKET, details, parsed, wording

TERMS = parsed(details())
TEXT = build(TERMS, wording("ko"))
AGREED = narrow(TERMS, Choices(frozenset({MARKET})), catalogue=CATALOGUE)
SMALLER = restrict(AGREED, {BANK: ("trans_amt",)})


@dataclass
class Desk:
    """One citizen before one gateway."""

    database: Database
    journal: Journal
    keys: SubjectKeys
    subject: SubjectId

    def asked(self, request: str = "r-1") -> service.Asked:
        """The request put before the citizen."""
        return service.Asked(self.subject, CLIENT.id, request, TERMS, TEXT)

    async def do(self, work: Callable[[AsyncSession], Awaitable[Consent]]) -> Consent:
        """Run `work` in a transaction of its own."""
        async with self.database.transaction() as session:
            return await work(session)

    async def give(self, request: str = "r-1", agreed: Any = AGREED) -> Consent:
        """The citizen agrees."""
        asked = self.asked(request)
        return await self.do(lambda s: service.give(s, self.journal, asked, agreed, at=AT))

    async def withdraw(self, consent: Consent, at: int = AT + 60) -> Consent:
        """The citizen withdraws."""
        return await self.do(
            lambda s: service.withdraw(s, self.journal, consent.id, subject=self.subject, at=at)
        )

    async def narrow(self, consent: Consent, **changed: Any) -> Consent:
        """The citizen takes all away but one field."""
        values: dict[str, Any] = {"subject": self.subject, "version": consent.version, "terms": SMALLER}
        values |= {"text": build(SMALLER, wording("en")), "at": AT + 30}
        values |= changed
        return await self.do(lambda s: service.narrow(s, self.journal, consent.id, **values))

    async def entries(self) -> list[dict[str, Any]]:
        """The citizen's ledger payloads, opened, in order."""
        async with self.database.reading() as session:
            key = await self.keys.key(session, self.subject)
            query = select(PAYLOAD.c.n, PAYLOAD.c.body).where(PAYLOAD.c.subject == self.subject)
            rows = (await session.execute(query.order_by(PAYLOAD.c.n))).all()
        return [orjson.loads(key.unseal(row.body, payload_context(self.subject, row.n))) for row in rows]

    async def count(self, row: Any) -> int:
        """How many rows a table has."""
        async with self.database.reading() as session:
            return int((await session.execute(select(func.count()).select_from(table_of(row)))).scalar_one())

    async def load(self, consent: Consent) -> Consent | None:
        """The consent as stored."""
        async with self.database.reading() as session:
            return await repository.load(session, consent.id)


@pytest.fixture
async def desk(database: Database) -> Desk:
    """A citizen with a key, on each store."""
    keys = SubjectKeys(bytes(range(32)))
    async with database.transaction() as session:
        subject = await keys.create(session)
    return Desk(database, Journal(keys, "test"), keys, subject)


async def test_giving_stores_the_consent_its_text_and_one_entry(desk: Desk) -> None:
    """What was agreed, the text as it was shown and the ledger entry exist together."""
    given = await desk.give()
    assert (given.state, given.version, given.terms, given.asked) == (State.ACTIVE, 1, AGREED, TERMS)
    assert await desk.load(given) == given
    async with desk.database.reading() as session:
        assert await repository.text_shown(session, given.text_hash) == TEXT
        assert await repository.history(session, given.id) == [given]
        assert await repository.of_subject(session, desk.subject, limit=9) == [given]
    (entry,) = await desk.entries()
    assert entry["event"] == Event.CONSENT_GRANT_GIVEN
    assert entry["body"]["consent"] == given.id
    assert entry["body"]["text_sha256"] == TEXT.hash


async def test_answering_the_same_twice_gives_one_consent(desk: Desk) -> None:
    """The page sent twice is one consent and one entry."""
    assert await desk.give() == await desk.give()
    assert len(await desk.entries()) == await desk.count(ConsentRow) == 1


async def test_two_answers_at_once_give_one_consent(desk: Desk) -> None:
    """The page sent from two tabs at once is one consent and one entry."""
    first, second = await asyncio.gather(desk.give(), desk.give())
    assert first == second
    assert (
        len(await desk.entries()) == await desk.count(ConsentRow) == await desk.count(ConsentVersionRow) == 1
    )


async def test_another_answer_to_an_answered_request_comes_too_late(desk: Desk) -> None:
    """Refusing after giving, or giving something else, changes nothing and is refused by code."""
    given = await desk.give()
    with pytest.raises(MoveError) as caught:
        await desk.do(lambda s: service.refuse(s, desk.journal, desk.asked(), at=AT))
    assert caught.value.code == "consent_request_answered"
    with pytest.raises(MoveError, match="consent_request_answered"):
        await desk.give(agreed=TERMS)
    assert await desk.load(given) == given
    assert len(await desk.entries()) == 1


async def test_refusing_is_kept_as_a_record(desk: Desk) -> None:
    """A no is stored with what was asked, opens nothing and is one entry."""
    refused = await desk.do(lambda s: service.refuse(s, desk.journal, desk.asked(), at=AT))
    assert refused.state is State.REFUSED
    assert not refused.alive(AT)
    assert [entry["event"] for entry in await desk.entries()] == [Event.CONSENT_REQUEST_REFUSED]


async def test_agreeing_to_more_than_was_asked_changes_nothing(desk: Desk) -> None:
    """Terms beyond the request are refused and leave no row, text or entry."""
    with pytest.raises(MoveError, match="consent_not_narrower"):
        await desk.give(agreed=replace(TERMS, retention="P300D"))
    assert [await desk.count(row) for row in (ConsentRow, ConsentVersionRow, ConsentTextRow)] == [0, 0, 0]
    assert await desk.entries() == []


async def test_narrowing_keeps_the_id_and_the_history(desk: Desk) -> None:
    """A narrowed consent is the next version of the same one, with the text shown for it."""
    given = await desk.give()
    narrowed = await desk.narrow(given)
    assert (narrowed.id, narrowed.version, narrowed.terms) == (given.id, 2, SMALLER)
    assert narrowed.language == "en"
    async with desk.database.reading() as session:
        assert await repository.history(session, given.id) == [given, narrowed]
        assert await repository.text_shown(session, narrowed.text_hash) == build(SMALLER, wording("en"))
    assert [entry["event"] for entry in await desk.entries()][1:] == [Event.CONSENT_GRANT_NARROWED]


async def test_narrowing_what_has_moved_on_is_refused(desk: Desk) -> None:
    """A page shown for version 1 cannot narrow version 2."""
    given = await desk.give()
    await desk.narrow(given)
    with pytest.raises(MoveError, match="consent_moved_on"):
        await desk.narrow(given)
    assert len(await desk.entries()) == 2


async def test_withdrawing_twice_is_one_entry(desk: Desk) -> None:
    """A repeated withdrawal gives back the same withdrawn consent and adds nothing."""
    given = await desk.give()
    first = await desk.withdraw(given)
    assert (first.state, first.version, first.alive(AT + 61)) == (State.WITHDRAWING, 2, False)
    assert await desk.withdraw(given, AT + 90) == first
    assert [entry["event"] for entry in await desk.entries()][1:] == [Event.CONSENT_GRANT_WITHDRAWN]


async def test_two_withdrawals_at_once_give_one_entry(desk: Desk) -> None:
    """Two tabs withdrawing at the same moment: one move, one history row, one entry, no error."""
    given = await desk.give()
    results = await asyncio.gather(*(desk.withdraw(given, AT + 60 + n) for n in range(4)))
    assert {result.state for result in results} == {State.WITHDRAWING}
    assert len(set(results)) == 1
    assert len(await desk.entries()) == await desk.count(ConsentVersionRow) == 2


async def test_withdrawing_while_narrowing_always_withdraws(desk: Desk) -> None:
    """Whichever comes first, the consent ends withdrawn; the narrowing happened before it or not at all."""
    given = await desk.give()
    results = await asyncio.gather(desk.narrow(given), desk.withdraw(given), return_exceptions=True)
    stored = await desk.load(given)
    assert stored is not None
    assert stored.state is State.WITHDRAWING
    assert len(await desk.entries()) == stored.version == await desk.count(ConsentVersionRow)
    if isinstance(results[0], BaseException):
        assert getattr(results[0], "code", None) in {"consent_moved_on", "consent_move_illegal"}


async def test_another_citizens_consent_is_not_found(desk: Desk) -> None:
    """A stranger's id and an unknown id answer the same, and nothing moves."""
    given = await desk.give()
    async with desk.database.transaction() as session:
        stranger = await desk.keys.create(session)
    for subject, id in ((stranger, given.id), (desk.subject, "c-none")):
        with pytest.raises(MoveError) as caught:
            async with desk.database.transaction() as session:
                await service.withdraw(session, desk.journal, id, subject=subject, at=AT)
        assert caught.value.code == "consent_not_found"
    with pytest.raises(MoveError, match="consent_not_found"):
        await desk.narrow(given, subject=stranger)
    assert await desk.load(given) == given


async def test_withdrawing_a_refused_consent_changes_nothing(desk: Desk) -> None:
    """What has ended already stays as it ended."""
    refused = await desk.do(lambda s: service.refuse(s, desk.journal, desk.asked(), at=AT))
    assert await desk.withdraw(refused) == refused
    assert len(await desk.entries()) == 1


async def test_withdrawal_works_after_the_key_is_gone(desk: Desk) -> None:
    """A consent outlived by its citizen's key is still stopped, by an entry that names no citizen."""
    given = await desk.give()
    async with desk.database.transaction() as session:
        await desk.keys.erase(session, desk.subject)
    assert (await desk.withdraw(given)).state is State.WITHDRAWING
    async with desk.database.reading() as session:
        query = select(PAYLOAD.c.body).where(PAYLOAD.c.subject.is_(None))
        body = orjson.loads((await session.execute(query)).scalar_one())
    assert body["body"] == {"consent": given.id, "version": 2, "state": "withdrawing", "by": "citizen"}


async def test_a_failing_journal_changes_nothing(desk: Desk) -> None:
    """If the entry cannot be written the move did not happen either."""

    class Broken:
        async def append(self, *_: object, **__: object) -> None:
            raise OSError("no room")

    given = await desk.give()
    with pytest.raises(Exception, match="storage_unavailable"):
        await desk.do(lambda s: service.withdraw(s, Broken(), given.id, subject=desk.subject, at=AT + 1))
    assert await desk.load(given) == given
    assert await desk.count(ConsentVersionRow) == 1


async def test_the_same_text_is_kept_once(desk: Desk) -> None:
    """Many consents under one text share it; the first moment it was shown stays."""
    await desk.give("r-1")
    await desk.give("r-2")
    assert await desk.count(ConsentTextRow) == 1
    assert await desk.count(ConsentRow) == 2


async def test_a_tampered_text_is_not_the_one_agreed_to(desk: Desk) -> None:
    """A stored text is found by its own hash only."""
    given = await desk.give()
    other = ShownText(TEXT.body + " ", TEXT.version, TEXT.language)
    assert other.hash != given.text_hash
    async with desk.database.reading() as session:
        assert await repository.text_shown(session, other.hash) is None
