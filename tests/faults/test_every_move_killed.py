"""`kill -9` amid every move there is, each tried by two at once: whole or not at all, entered once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

from sqlalchemy import Select, select

from consent import repository
from consent.changes import Step
from consent.ending_tables import DeletionInstructionRow, EndingPartyRow
from consent.invitations import MandateInvitationRow
from consent.ledger_tables import PAYLOAD
from consent.mandates import MandateRow
from consent.records import TRANSITIONS, Move, State
from consent.tables import ConsentRow, table_of
from gateway.database import Database
from gateway.migrations.tables import metadata
from tests.warm import WarmProcess, start

KILLS, TIMES = 2, 2
_CONSENT, _PARTY = table_of(ConsentRow), table_of(EndingPartyRow)
_MANDATE, _INVITED = table_of(MandateRow), table_of(MandateInvitationRow)
_DELETION = table_of(DeletionInstructionRow)


async def test_every_move_killed_and_raced_is_whole_and_entered_once(database: Database) -> None:
    """Killed twice at a seeded entry, then left alone: true of every consent, mandate and ending."""
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    chance = random.Random(4)
    for number in range(KILLS):
        child = await _started(database, f"killed-{number}", 1000)
        await _until_entries(database, await _entries(database) + chance.randint(5, 60), child)
        child.kill()
        await child.wait()
        await _sound(database)
    child = await _started(database, "whole", TIMES)
    assert await child.wait() == 0
    made = await _sound(database)
    whole = [steps for request, steps in made if "whole-" in request]
    assert len(whole) == 4 * TIMES
    lives = Counter(steps[-1].after.state.value for steps in whole)
    assert lives["withdrawn"] == TIMES
    assert lives["active"] == TIMES
    assert not [one for one in lives if one in ("requested", "deferred", "withdrawing", "paused")]
    moved = {step.move for _, steps in made for step in steps}
    assert moved >= set(Move) - {Move.REVOKE, Move.INVALIDATE, Move.EXPIRE, Move.REFUSE, Move.LAPSE}
    assert moved & {Move.REVOKE, Move.INVALIDATE, Move.EXPIRE}
    assert moved & {Move.REFUSE, Move.LAPSE}


async def _started(database: Database, seed: str, count: int) -> WarmProcess:
    return await start("tests.faults.mover", database.url, seed, str(count))


async def _entries(database: Database) -> int:
    return len(await _found(database, select(PAYLOAD.c.outbox_id)))


async def _until_entries(database: Database, wanted: int, child: WarmProcess) -> None:
    for _ in range(3000):
        if await _entries(database) >= wanted:
            return
        assert child.returncode is None
        await asyncio.sleep(0.01)
    raise AssertionError("the process made no moves")


async def _found(database: Database, query: Select[Any]) -> list[Any]:
    async with database.reading() as session:
        return list((await session.execute(query)).scalars())


async def _sound(database: Database) -> list[tuple[str, list[Step]]]:
    """What the tables say and what was entered are the same; every consent's moves and states."""
    lives, moves = [], set()
    for row in await _found(database, select(_CONSENT.c.id)):
        async with database.reading() as session:
            now = await repository.load(session, row)
            assert now is not None
            steps = await repository.steps_of(session, now)
        assert [one.after.version for one in steps] == list(range(steps[0].after.version, now.version + 1))
        assert steps[-1].after == now
        for step in steps[1:]:
            assert step.before is not None
            assert TRANSITIONS[step.before.state, step.move] is step.after.state
        moves |= {f"consent:{now.id}:{one.after.version}" for one in steps}
        lives.append((now.request_id, steps))
    entered = Counter(one for one in await _found(database, select(PAYLOAD.c.idem)) if one is not None)
    assert set(entered.values()) <= {1}
    assert {one for one in entered if one.startswith("consent:c-")} == moves
    await _others(database, set(entered))
    return lives


async def _others(database: Database, entered: set[str]) -> None:
    """Mandates, invitations, acknowledgements, instructions and certificates: as entered, and only those."""
    begun = await _found(database, select(_MANDATE.c.id))
    ended = await _found(database, select(_MANDATE.c.id).where(_MANDATE.c.ended_at.is_not(None)))
    offered = await _found(database, select(_INVITED.c.mandate_id))
    heard = select(_PARTY.c.consent_id).where(_PARTY.c.kind == "recipient", _PARTY.c.answered_at.is_not(None))
    told = select(_DELETION.c.consent_id)
    certified = told.where(_DELETION.c.certified_at.is_not(None))
    wanted = {
        "mandate:": begun,
        "mandate-ended:": ended,
        "mandate-invited:": [*begun, *offered],
        "recipient:notice:acknowledged/": await _found(database, heard),
        "deletion:instruction:given/": await _found(database, told),
        "deletion:certificate:received/": await _found(database, certified),
    }
    for prefix, names in wanted.items():
        assert {one for one in entered if one.startswith(prefix)} == {prefix + name for name in names}, prefix
    waiting = select(_PARTY.c.consent_id).where(_PARTY.c.answer == "waiting")
    completed = select(_CONSENT.c.id).where(_CONSENT.c.state == State.WITHDRAWN.value)
    assert not set(await _found(database, waiting)) & set(await _found(database, completed))
