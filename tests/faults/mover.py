"""A process that makes every move there is, each tried by two at once, until killed: `mover URL SEED N`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from consent import (
    asking,
    deletion,
    endings,
    invitations,
    lasting,
    mandate_endings,
    mandates,
    repository,
    service,
)
from consent.endings import Kind, Patience
from consent.errors import ConsentError
from consent.invitations import Offered
from consent.journal import Journal
from consent.mandates import Power
from consent.records import By, Consent, Move
from consent.subjects import SubjectId, SubjectKeys
from consent.terms import restrict
from consent.text import build
from gateway.database import Database
from tests.unit.consent.household import AT, details, parsed, wording

COMPANY, PARTY = "company", "mydata-gateway"
TERMS = parsed(details())
TEXT = build(TERMS, wording("ko"))
NOBODY = SubjectId("")
Work = Callable[[AsyncSession], Awaitable[Any]]


@dataclass
class Story:
    """One citizen's consent and what happens to it; every step is a transaction, tried twice at once."""

    database: Database
    name: str
    journal: Journal = field(default_factory=lambda: Journal(SubjectKeys(b"k" * 32), "mover"))
    subject: SubjectId = NOBODY
    id: str = ""

    async def once(self, work: Work) -> Any:
        """In a transaction of its own; what is refused, because the other was first, is None."""
        try:
            async with self.database.transaction() as session:
                return await work(session)
        except ConsentError:
            return None

    async def twice(self, work: Work) -> Any:
        """By two at the same moment; what one of them made."""
        made = await asyncio.gather(self.once(work), self.once(work))
        return next((one for one in made if one is not None), None)

    def asked(self, **changed: Any) -> service.Asked:
        """The request, as shown to the citizen."""
        return replace(service.Asked(self.subject, COMPANY, f"r-{self.name}", TERMS, TEXT), **changed)

    async def begin(self, *, give: bool = True, **changed: Any) -> None:
        """A citizen is asked, and perhaps agrees."""
        async with self.database.transaction() as session:
            self.subject = await self.journal.keys.create(session)
        asked = self.asked(**changed)
        made = await self.twice(lambda s: asking.ask(s, self.journal, asked, at=AT))
        if give:
            made = await self.twice(lambda s: service.give(s, self.journal, asked, TERMS, at=AT + 1))
        self.id = made.id if made else ""

    async def held(self, work: Callable[[AsyncSession, Consent], Awaitable[Any]]) -> Any:
        """On the consent under lock, as a job or a company's door does it."""

        async def locked(session: AsyncSession) -> Any:
            consent = await repository.load(session, self.id, lock=True)
            assert consent is not None
            return await work(session, consent)

        return await self.twice(locked)

    async def mine(self, act: Callable[..., Awaitable[Consent]], version: int, **more: Any) -> None:
        """The citizen moves the version that was shown."""
        said = {"subject": self.subject, "version": version, "at": AT + version, **more}
        await self.twice(lambda s: act(s, self.journal, self.id, **said))

    async def told(self) -> None:
        """Everybody acknowledges; the citizen has it deleted, and the company certifies that."""
        journal, at = self.journal, AT + 100

        async def tell(session: AsyncSession, consent: Consent) -> None:
            await endings.tell_parties(session, consent, Patience(), at)

        async def certify(session: AsyncSession, consent: Consent) -> None:
            known = await deletion.instruct(session, journal, consent, Patience(), at=at)
            await deletion.certify(session, journal, consent, known, f"jws-{self.name}", at=at)

        await self.held(tell)
        for holder in TERMS.holders:
            await self.held(partial(self._hear, kind=Kind.HOLDER, party=holder))
        await self.held(partial(self._hear, kind=Kind.RECIPIENT, party=COMPANY))
        await self.held(lambda s, c: endings.complete(s, journal, c, at=at))
        await self.held(certify)

    async def _hear(self, session: AsyncSession, consent: Consent, kind: Kind, party: str) -> None:
        await endings.acknowledge(session, self.journal, consent, kind, party, at=AT + 100)


async def whole_life(story: Story) -> None:
    """Asked, put off, given, narrowed, paused, resumed, renewed, amended, withdrawn, completed, deleted."""
    await story.begin(give=False)
    asked = story.asked()
    await story.twice(lambda s: asking.defer(s, story.journal, asked, at=AT))
    made = await story.twice(lambda s: service.give(s, story.journal, asked, TERMS, at=AT + 1))
    less = restrict(TERMS, {item.name: item.fields for item in TERMS.items[1:]})
    await story.mine(service.narrow, made.version, terms=less, text=TEXT)
    await story.mine(lasting.pause, made.version + 1)
    await story.mine(lasting.resume, made.version + 2)
    longer = replace(less, end=less.end + timedelta(days=30))
    await story.mine(lasting.renew, made.version + 3, terms=longer, text=TEXT)
    of: dict[str, Any] = {"consent_id": story.id, "version": made.version + 4, "at": AT + 50}
    more = story.asked(request_id=f"more-{story.name}")
    await story.twice(lambda s: service.amend(s, story.journal, more, TERMS, **of))
    await story.twice(
        lambda s: service.withdraw(s, story.journal, story.id, subject=story.subject, at=AT + 60)
    )
    await story.told()


async def never_given(story: Story) -> None:
    """Asked, and refused or lapsed, whichever comes first."""
    await story.begin(give=False)
    refuse: Work = lambda s: service.refuse(s, story.journal, story.asked(), at=AT + 2)  # noqa: E731
    lapse = story.held(lambda s, c: asking.lapse(s, story.journal, c, at=AT + 2))
    await asyncio.gather(story.twice(refuse), lapse)


async def ended_by(story: Story) -> None:
    """Revoked by the company, invalidated by the operator and expired, all at once: one of them."""
    await story.begin()
    journal, end = story.journal, TERMS.end_at
    reason: dict[str, Any] = {"by": By.OPERATOR, "why": "mistaken_identity", "at": AT + 9}
    await asyncio.gather(
        story.held(lambda s, c: endings.end_by(s, journal, c, Move.INVALIDATE, **reason)),
        story.twice(lambda s: service.revoke(s, journal, story.id, party=COMPANY, why="unneeded", at=AT + 9)),
        story.held(lambda s, c: lasting.expire(s, journal, c, end)),
    )
    await story.told()


async def delegated(story: Story) -> None:
    """A delegate says yes; the mandate ends while the citizen pauses and the yes is repeated; it goes on."""
    journal = story.journal
    async with story.database.transaction() as session:
        story.subject = await journal.keys.create(session)
        actor = await journal.keys.create(session)
    offered = Offered(frozenset(Power), frozenset(), AT + 86_400, "name")
    code = await story.once(
        lambda s: invitations.invite(s, journal, story.subject, offered, party=PARTY, at=AT)
    )
    made = await story.twice(lambda s: invitations.accept(s, journal, actor, code, party=PARTY, at=AT + 1))
    asked = story.asked(acting=made.acting)

    async def answer(session: AsyncSession) -> Consent | None:
        mandate = await mandates.find(session, made.id, hold=True)
        if mandate is None or not mandate.holds(AT + 2):
            return None
        return await service.give(session, journal, asked, TERMS, at=AT + 2)

    given = await story.twice(answer)
    story.id = given.id
    end: dict[str, Any] = {"by": By.CITIZEN, "why": "by_citizen", "party": PARTY, "at": AT + 3}
    await asyncio.gather(
        story.twice(lambda s: mandate_endings.end(s, journal, made.id, **end)),
        story.mine(lasting.pause, given.version),
        story.twice(answer),
    )
    await story.mine(lasting.resume, given.version + 1)


STORIES = (whole_life, never_given, ended_by, delegated)


async def main(url: str, seed: str, count: int) -> None:
    """Every story so many times, four side by side."""
    database = Database(url)
    try:
        for number in range(count):
            await asyncio.gather(
                *(tell(Story(database, f"{seed}-{number}-{tell.__name__}")) for tell in STORIES)
            )
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
