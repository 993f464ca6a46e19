"""A delegate says yes while the mandate ends: no yes outlives it unseen, and neither waits for the other."""

from __future__ import annotations

import asyncio

from consent import mandate_endings, mandates, repository, service
from consent.events import Event
from consent.mandates import Mandate, Power, Role
from consent.records import By, Consent, State
from consent.subjects import SubjectId
from gateway.database import Database
from gateway.migrations.tables import metadata
from tests.faults.mover import PARTY, TERMS, Story
from tests.unit.consent.household import AT


async def delegated(database: Database, name: str) -> tuple[Story, Mandate]:
    """A citizen and the mandate of another."""
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    story = Story(database, name)
    async with database.transaction() as session:
        story.subject = await story.journal.keys.create(session)
        actor: SubjectId = await story.journal.keys.create(session)
        made = Mandate(
            f"m-{name}", Role.DELEGATE, story.subject, actor, frozenset(Power), frozenset(), b"", AT, AT + 99
        )
        await mandates.add(session, story.journal, made, Event.MANDATE_DELEGATE_ACCEPTED, PARTY)
    return story, made


async def answer(story: Story, made: Mandate, begun: asyncio.Event, go_on: asyncio.Event) -> Consent:
    """As the page does it: the mandate held, then the answer; in between others have their chance."""
    async with story.database.transaction() as session:
        held = await mandates.find(session, made.id, hold=True)
        assert held is not None
        assert held.holds(AT + 2)
        begun.set()
        await go_on.wait()
        asked = story.asked(acting=made.acting)
        return await service.give(session, story.journal, asked, TERMS, at=AT + 2)


async def end(story: Story, made: Mandate) -> bool:
    """As the page of either does it."""
    async with story.database.transaction() as session:
        return await mandate_endings.end(
            session, story.journal, made.id, by=By.CITIZEN, why="by_citizen", party=PARTY, at=AT + 3
        )


async def both(story: Story, made: Mandate) -> Consent:
    """The answer begins, the ending comes in between; how the consent stands."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    answering = asyncio.create_task(answer(story, made, begun, go_on))
    await begun.wait()
    ending = asyncio.create_task(end(story, made))
    await asyncio.sleep(0.2)
    go_on.set()
    given, ended = await asyncio.gather(answering, ending)
    assert ended
    async with story.database.reading() as session:
        found = await repository.load(session, given.id)
    assert found is not None
    return found


async def test_row_32_a_yes_beside_the_end_of_its_mandate_is_paused(database: Database) -> None:
    """The mandate ends while its delegate's first yes commits: that consent is paused with it."""
    story, made = await delegated(database, "first")
    assert (await both(story, made)).state is State.PAUSED


async def test_row_32_a_yes_said_again_beside_the_end_holds_nobody_up(database: Database) -> None:
    """The same yes pressed again while the mandate ends: both are done, no circle of waiting."""
    story, made = await delegated(database, "again")
    nothing = asyncio.Event()
    nothing.set()
    await answer(story, made, asyncio.Event(), nothing)
    assert (await both(story, made)).state is State.PAUSED
