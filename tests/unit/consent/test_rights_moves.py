"""A citizen's request for their own data: every move, once, with one entry; grounds of refusal; the inbox."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from consent import notices
from consent import rights_repository as repository
from consent import rights_service as service
from consent.errors import MoveError
from consent.journal import Journal
from consent.ledger.entry import decode
from consent.ledger_tables import OUTBOX
from consent.notices import NoticeKind
from consent.refusal_grounds import Ground, ground_of, grounds
from consent.rights import ENDED, TRANSITIONS, AskedItem, Decided, Move, Received, SelfRequest, State, move
from consent.subjects import SubjectError, SubjectId, SubjectKeys
from gateway.database import Database
from gateway.web.words import words

NOW = 1_795_305_600
KEYS = SubjectKeys(b"k" * 32)
JOURNAL = Journal(KEYS, "test")
BANK = AskedItem("hanbit-bank", "finance.deposit-transactions", ("trans_amt",))
CAME = (Received(BANK.name, "complete", 3, at=NOW),)


def request(subject: str = "s-1", id: str = "q-1", **changes: object) -> SelfRequest:
    """A fresh request, as it is first stored."""
    made = SelfRequest(
        id=id,
        subject=SubjectId(subject),
        state=State.ASKED,
        version=1,
        verification="openid",
        purpose="own-use",
        items=(BANK,),
        history_from=None,
        asked_at=NOW,
        changed_at=NOW,
        end_at=NOW + 86_400,
        decided=Decided("d-1", "rev", ("retain_until",)),
    )
    return move(made, Move.BEGIN, NOW) if changes.get("begun") else made


async def kinds(database: Database) -> Counter[str]:
    """The entries promised, by kind."""
    async with database.reading() as session:
        return Counter(decode(e).kind for e in (await session.execute(select(OUTBOX.c.entry))).scalars())


async def stored(database: Database, id: str = "q-1") -> SelfRequest:
    """The request of a fresh citizen, in the store."""
    async with database.transaction() as session:
        subject = await KEYS.create(session)
        return await service.ask(session, JOURNAL, request(subject, id))


async def step(database: Database, before: SelfRequest, taken: Move, **changes: object) -> SelfRequest:
    """One move in a transaction of its own."""
    async with database.transaction() as session:
        return await service.step(session, JOURNAL, before, taken, NOW, changes, sealed=b"sealed")


@given(st.sampled_from(State), st.sampled_from(Move))
def test_only_what_the_table_allows(state: State, taken: Move) -> None:
    """Every pair is either in the table and leads where it says, or raises and changes nothing."""
    before = SelfRequest(**{**{f: getattr(request(), f) for f in SelfRequest.__slots__}, "state": state})
    target = TRANSITIONS.get((state, taken))
    if target is None:
        with pytest.raises(MoveError, match="right_move_illegal"):
            move(before, taken, NOW)
        return
    after = move(before, taken, NOW + 5)
    assert (after.state, after.version, after.changed_at) == (target, 2, NOW + 5)


def test_nothing_leaves_what_ended_and_all_can_be_taken_back() -> None:
    """Ended is ended; every other state can be cancelled."""
    assert not [pair for pair in TRANSITIONS if pair[0] in ENDED]
    assert {state for state, taken in TRANSITIONS if taken is Move.CANCEL} == set(State) - ENDED


def test_pipa_42_8_the_eleven_grounds() -> None:
    """Eleven, numbered as in the Decree, with words; a reason states one ground, a failure states none."""
    found = list(grounds().values())
    assert [one.number for one in found] == list(range(1, 12))
    assert found[9].article == "PIPA Enforcement Decree 42-8(1)10"
    assert all(one.words["ko"] and one.words["en"] and one.verified for one in found)
    assert ground_of("no_link") is Ground.IDENTITY_UNCONFIRMED
    assert ground_of("asked_too_often") is Ground.EXCESSIVE_REPETITION
    assert ground_of("holder_down") is ground_of(None) is None


async def test_pipa_42_6_11_each_move_is_one_entry(database: Database) -> None:
    """From asking to the end every move has one version, one entry, and one notice where the law wants it."""
    one = await stored(database)
    one = await step(database, one, Move.BEGIN)
    one = await step(database, one, Move.DELAY, delayed_at=NOW, delay_reason="holder_down")
    held = {"received": CAME, "held_until": NOW + 100, "solved_at": NOW}
    one = await step(database, one, Move.DELIVER, **held)
    one = await step(database, one, Move.FETCH, fetched_at=NOW)
    one = await step(database, one, Move.END)
    assert (one.state, one.version, one.told_at, one.delay_reason) == (State.OVER, 6, NOW, "holder_down")
    found = await kinds(database)
    assert found == Counter(
        f"rights:request:{name}" for name in ("asked", "begun", "delayed", "delivered", "fetched", "ended")
    )
    async with database.reading() as session:
        live = await repository.load(session, one.id)
        inbox = await notices.of_subject(session, one.subject, limit=10)
        assert await repository.sealed_of(session, one.id) == b""
    assert live == one
    assert {notice.kind for notice in inbox} == {NoticeKind.RIGHT_DELAYED, NoticeKind.RIGHT_READY}


async def test_pipa_42_8_a_refusal_names_its_ground_and_when_the_citizen_was_told(database: Database) -> None:
    """Ground, reason and the moment of the notice are kept; the citizen finds the notice."""
    one = await stored(database)
    async with database.transaction() as session:
        done = await service.refuse(
            session, JOURNAL, one, "asked_too_often", ground_of("asked_too_often"), NOW + 1
        )
    assert (done.state, done.ground, done.told_at) == (
        State.REFUSED,
        Ground.EXCESSIVE_REPETITION,
        NOW + 1,
    )
    async with database.reading() as session:
        (notice,) = await notices.of_subject(session, one.subject, limit=10)
    assert (notice.kind, notice.thing, notice.at) == (NoticeKind.RIGHT_REFUSED, one.id, NOW + 1)


async def test_two_moves_at_once_are_one(database: Database) -> None:
    """Of a carrier and a citizen who move one version, one wins; the other changes and enters nothing."""
    one = await step(database, await stored(database), Move.BEGIN)
    tries = (step(database, one, Move.CANCEL), step(database, one, Move.DELIVER, received=CAME))
    results = await asyncio.gather(*tries, return_exceptions=True)
    lost = [r for r in results if isinstance(r, MoveError)]
    assert [error.code for error in lost] == ["right_moved_on"]
    found = await kinds(database)
    assert found["rights:request:cancelled"] + found["rights:request:delivered"] == 1


async def test_asking_twice_at_once_is_one_request(database: Database) -> None:
    """Two tabs with keys of their own, the same thing asked: one request, one entry."""
    async with database.transaction() as session:
        subject = await KEYS.create(session)

    async def ask(id: str) -> SelfRequest:
        async with database.transaction() as session:
            return await service.ask(session, JOURNAL, request(subject, id))

    one, two = await asyncio.gather(ask("q-1"), ask("q-2"))
    assert one.id == two.id
    assert await kinds(database) == Counter({"rights:request:asked": 1})


async def test_another_citizens_request_is_not_there(database: Database) -> None:
    """Somebody else's answers like one that never was; nothing changes."""
    mine, other = await stored(database, "q-1"), await stored(database, "q-2")
    for id in (mine.id, "q-none"):
        async with database.transaction() as session:
            with pytest.raises(MoveError, match="right_not_found"):
                await service.cancel(session, JOURNAL, id, subject=other.subject, at=NOW)
    async with database.reading() as session:
        assert await repository.load(session, mine.id) == mine


async def test_an_erased_citizen_can_still_be_let_go(database: Database) -> None:
    """Under a destroyed key the end is entered without naming anybody, and the data goes."""
    one = await step(database, await stored(database), Move.BEGIN)
    async with database.transaction() as session:
        await JOURNAL.forget(session, one.subject, party="op", at=NOW)
    with pytest.raises(SubjectError, match="subject_erased"):
        await step(database, one, Move.DELIVER, received=CAME)
    done = await step(database, one, Move.CANCEL)
    assert done.state is State.CANCELLED


async def test_a_notice_is_left_once_and_read_by_its_citizen_only(database: Database) -> None:
    """Once per citizen, kind and thing; reading ends at the moment shown; another's stay unread."""
    async with database.transaction() as session:
        one, two = SubjectId("s-1"), SubjectId("s-2")
        for subject, about in itertools.product((one, two), ("c-1#1", "c-1#1", "c-1#2")):
            await notices.leave(session, subject, NoticeKind.RENEWAL, about, NOW + (about == "c-1#2"))
        assert not await notices.leave(session, one, NoticeKind.RENEWAL, "c-1#1", NOW + 9)
    async with database.transaction() as session:
        assert await notices.unread(session, one) == 2
        assert await notices.read(session, one, until=NOW, at=NOW + 5) == 1
        assert await notices.read(session, one, until=NOW, at=NOW + 6) == 0
        assert (await notices.unread(session, one), await notices.unread(session, two)) == (1, 2)
        newest, oldest = await notices.of_subject(session, one, limit=5)
        assert (newest.about, oldest.read_at, oldest.thing) == ("c-1#2", NOW + 5, "c-1")
        (last,) = await notices.of_subject(session, one, limit=5, before=(newest.at, newest.id))
        assert last == oldest
        query = select(func.count()).select_from(notices.NoticeRow)
        assert (await session.execute(query)).scalar_one() == 4


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_notice_has_words(kind: NoticeKind) -> None:
    """In both languages a title and what it is about: no notice can reach the inbox without them."""
    for language in ("ko", "en"):
        assert {f"notice.{kind.value}.title", f"notice.{kind.value}.about"} <= words(language).keys
