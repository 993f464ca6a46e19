"""A consent's whole life against a model: every move at any time, by two actors, of whom one may be behind.

No state is reached that the table does not allow; what is refused changes nothing; a move is exactly one
version, one row of history and one entry in the ledger. Moves come from `TRANSITIONS`: a new one is tried
here from the day it stands in the table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from consent import lasting, repository, service
from consent.calendar import korean_day_of
from consent.errors import MoveError
from consent.journal import Journal
from consent.ledger_tables import PAYLOAD
from consent.moving import commit_to, enter
from consent.records import OVER, PENDING, TRANSITIONS, By, Consent, Move, State, move
from consent.subjects import SubjectId, SubjectKeys
from consent.terms import Terms, restrict
from consent.text import ShownText
from gateway.database import Database
from tests.tables import fresh_database
from tests.unit.consent.household import AT, CLIENT, details, parsed

DAY = 86_400
TERMS = parsed(details())
TEXT = ShownText("shown", "1", "ko")
ACTORS = st.sampled_from(("phone", "laptop"))
MOVES = sorted({step for _, step in TRANSITIONS})
IN_TIME = {Move.GIVE, Move.NARROW, Move.AMEND, Move.RENEW, Move.PAUSE, Move.RESUME}
"""What is only done before the last day is over."""
NEVER_REFUSED = {Move.WITHDRAW, Move.REVOKE}
"""Said of a consent that is over they change nothing, and are no error."""
BY_VERSION = {Move.NARROW, Move.AMEND, Move.RENEW, Move.PAUSE, Move.RESUME}
"""What counts only for the version that was shown."""


class Lives:
    """One store and one event loop for every life of a test."""

    def __init__(self, url: str) -> None:
        """Make the tables."""
        self.runner = asyncio.Runner()
        self.journal = Journal(SubjectKeys(bytes(32)), "lives")
        self.database = self.runner.run(self._open(url))

    async def _open(self, url: str) -> Database:
        database = Database(await fresh_database(url.split("|")[0]) if "|" in url else url)
        async with database.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        return database

    def close(self) -> None:
        """Close store and loop."""
        self.runner.run(self.database.close())
        self.runner.close()

    async def do(self, work: Callable[[AsyncSession], Awaitable[Any]]) -> Any:
        """Run `work` in a transaction of its own."""
        async with self.database.transaction() as session:
            return await work(session)


class Life(RuleBasedStateMachine):
    """The store's consent, and beside it the model: state, version, end, what each actor saw last."""

    lives: Lives

    def __init__(self) -> None:
        """Nobody has been asked yet."""
        super().__init__()
        self.at, self.version, self.seen = AT, 0, dict.fromkeys(("phone", "laptop"), 0)
        self.subject: SubjectId = self._run(self.lives.journal.keys.create)
        self.id = f"c-{self.subject}"[:32]

    def _run(self, work: Callable[[AsyncSession], Awaitable[Any]]) -> Any:
        return self.lives.runner.run(self.lives.do(work))

    @initialize(first=st.sampled_from((Move.ASK, Move.GIVE, Move.REFUSE)))
    def begins(self, first: Move) -> None:
        """A request is put on record, or answered at once."""
        asked = service.Asked(self.subject, CLIENT.id, f"r-{self.id}", TERMS, TEXT)
        journal, at, new_id = self.lives.journal, self.at, lambda: self.id

        async def ask(session: AsyncSession) -> None:
            made = Consent(
                self.id, self.subject, CLIENT.id, asked.request_id, State.REQUESTED, 1, TERMS, TERMS,
                TEXT.hash, "ko", at, at, By.RECIPIENT,
            )  # fmt: skip
            await repository.keep_text(session, TEXT, at)
            assert await repository.add(session, made, Move.ASK)
            await enter(session, journal, made, Move.ASK)

        if first is Move.ASK:
            self._run(ask)
        else:
            answer = service.give if first is Move.GIVE else service.refuse
            terms = (asked, TERMS) if first is Move.GIVE else (asked,)
            self._run(lambda s: answer(s, journal, *terms, at=at, new_id=new_id))
        of = {Move.ASK: State.REQUESTED, Move.GIVE: State.ACTIVE, Move.REFUSE: State.REFUSED}
        self.state, self.version, self.terms = of[first], 1, TERMS
        self.seen = dict.fromkeys(self.seen, 1)

    @rule(days=st.sampled_from((1, 29, 90)))
    def time_passes(self, days: int) -> None:
        """Days go by."""
        self.at += days * DAY

    @rule(late=st.sampled_from((-1, 0)))
    def the_end_comes(self, late: int) -> None:
        """The last second of the last day, or the first one after it."""
        self.at = max(self.at, self.terms.end_at + late)

    @rule(actor=ACTORS)
    def looks(self, actor: str) -> None:
        """An actor opens the page."""
        self.seen[actor] = self.version

    @rule(actor=ACTORS, step=st.sampled_from(MOVES))
    def moves(self, actor: str, step: Move) -> None:
        """An actor tries a move on what they saw last."""
        terms = self._terms(step)
        after = self.lives.runner.run(self._try(step, self.seen[actor], terms))
        self._settle(step, self._expected(step, self.seen[actor]), after, terms)

    @rule(one=st.sampled_from(sorted(BY_VERSION | NEVER_REFUSED)), other=st.sampled_from(sorted(BY_VERSION)))
    def at_once(self, one: Move, other: Move) -> None:
        """Both actors look, and act in the same moment: one after the other, and the later is behind."""
        terms = self._terms(one), self._terms(other)

        async def both() -> list[Any]:
            tries = (self._try(one, self.version, terms[0]), self._try(other, self.version, terms[1]))
            return list(await asyncio.gather(*tries))

        before, pairs = self.version, [(one, terms[0]), (other, terms[1])]
        done = list(zip(pairs, self.lives.runner.run(both()), strict=True))
        moved = [(pair, after) for pair, after in done if isinstance(after, Consent)]
        for (step, changed), after in sorted(moved, key=lambda found: found[1].version):
            if after.version > self.version:
                self._settle(step, self._expected(step, before), after, changed)
        for (step, _), after in done:
            if not isinstance(after, Consent):
                assert self.version > before or self._expected(step, before) is not None, step

    @invariant()
    def the_store_is_as_the_model(self) -> None:
        """State, version, terms; one row of history and one entry a version; each in its state."""
        if not self.version:
            return

        async def read(session: AsyncSession) -> tuple[Any, list[Consent], int]:
            now = await repository.load(session, self.id)
            assert now is not None
            entries = select(func.count()).select_from(PAYLOAD).where(PAYLOAD.c.subject == self.subject)
            return (
                now,
                await repository.versions_of(session, now),
                (await session.execute(entries)).scalar_one(),
            )

        now, versions, entries = self._run(read)
        assert (now.state, now.version, now.terms) == (self.state, self.version, self.terms)
        assert [one.version for one in versions] == list(range(1, self.version + 1))
        assert entries == self.version
        for before, after in pairwise(versions):
            assert after.state in {to for (of, _), to in TRANSITIONS.items() if of is before.state}

    def _terms(self, step: Move) -> Terms | None:
        """What a move would make of the terms; None where it changes none, or cannot."""
        if step is Move.RENEW:
            return replace(self.terms, end=self.terms.end + timedelta(days=30))
        if step is Move.AMEND:
            end = max(self.terms.end, korean_day_of(self.at) + timedelta(days=90))
            return replace(TERMS, end=end)
        if step is Move.NARROW and len(self.terms.items) > 1:
            return restrict(self.terms, {item.name: item.fields for item in self.terms.items[1:]})
        return None

    def _expected(self, step: Move, seen: int) -> str | None:
        """The code a move is refused with; None where it is made, or changes nothing without an error."""
        if step in NEVER_REFUSED and self.state in OVER:
            return None
        if step in BY_VERSION and seen != self.version:
            return "consent_moved_on"
        over = self.at >= self.terms.end_at
        legal = (self.state, step) in TRANSITIONS
        if not legal or (over and step in IN_TIME - {Move.AMEND}) or (not over and step is Move.EXPIRE):
            return "consent_move_illegal"
        if over and step is Move.AMEND:
            return "consent_move_illegal"
        return "consent_not_narrower" if step is Move.NARROW and len(self.terms.items) == 1 else None

    def _settle(self, step: Move, refused: str | None, after: Any, terms: Terms | None) -> None:
        """The model goes along, if the move was one."""
        assert (after if isinstance(after, str) else None) == refused, (step, self.state, after)
        if refused is None and (self.state, step) in TRANSITIONS:
            self.state, self.version = TRANSITIONS[self.state, step], self.version + 1
            self.terms = terms or self.terms
            assert (after.state, after.version, after.changed_at) == (self.state, self.version, self.at)

    async def _try(self, step: Move, seen: int, terms: Terms | None) -> Consent | str:
        """Make the move through its service; the consent after it, or the code of the refusal."""
        try:
            after = await self.lives.do(lambda session: self._make(session, step, seen, terms))
        except MoveError as error:
            return error.code
        assert isinstance(after, Consent)
        return after

    async def _make(self, session: AsyncSession, step: Move, seen: int, terms: Terms | None) -> Consent:
        journal, at, changed = self.lives.journal, self.at, terms or self.terms
        of: dict[str, Any] = {"subject": self.subject}
        mine: dict[str, Any] = {**of, "version": seen, "at": at}
        match step:
            case Move.PAUSE:
                return await lasting.pause(session, journal, self.id, **mine)
            case Move.RESUME:
                return await lasting.resume(session, journal, self.id, **mine)
            case Move.RENEW:
                return await lasting.renew(session, journal, self.id, terms=changed, text=TEXT, **mine)
            case Move.NARROW:
                return await service.narrow(session, journal, self.id, terms=changed, text=TEXT, **mine)
            case Move.AMEND:
                asked = service.Asked(self.subject, CLIENT.id, "r-more", changed, TEXT)
                return await service.amend(
                    session, journal, asked, asked.terms, consent_id=self.id, version=seen, at=at
                )
            case Move.WITHDRAW:
                return await service.withdraw(session, journal, self.id, at=at, **of)
            case Move.REVOKE:
                return await service.revoke(session, journal, self.id, party=CLIENT.id, why="tested", at=at)
        before = await repository.load(session, self.id, lock=True)
        assert before is not None
        if step is Move.EXPIRE:
            return await lasting.expire(session, journal, before, at)
        return await commit_to(session, journal, before, move(before, step, at, by=By.OPERATOR), step)


@pytest.fixture
def lives(database_url: str) -> Iterator[Lives]:
    """A store, on each kind there is."""
    made = Lives(database_url)
    yield made
    made.close()


def test_a_consent_lives_by_its_table(lives: Lives) -> None:
    """Any moves in any order at any time, from two places."""
    machine = type("AnyLife", (Life,), {"lives": lives})
    rounds = settings(
        max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine, settings=rounds)


def test_pending_and_over_share_nothing() -> None:
    """No state both waits for an answer and is over, and nothing leads out of what is over for good."""
    assert not PENDING & OVER
    assert {of for (of, _) in TRANSITIONS} & (OVER - {State.WITHDRAWING}) == set()
