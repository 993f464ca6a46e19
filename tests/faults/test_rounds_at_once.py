"""The daily round, the expiry and one citizen with many consents at once: nobody waits in a circle."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta

from consent import lasting, repository, service
from consent.errors import MoveError
from consent.records import TRANSITIONS
from gateway.database import Database
from gateway.oauth.lasting import follow
from tests.unit.gateway.retention.living import TODAY, Living, noon

MANY = 60
LATE = noon(TODAY + timedelta(days=250))


async def acts(living: Living, consent_id: str, chance: random.Random) -> str:
    """The citizen pauses or withdraws, as a page would: consent, entry, then what follows."""
    await asyncio.sleep(chance.uniform(0, 0.4))
    try:
        async with living.database.transaction() as session:
            seen = await repository.load(session, consent_id)
            assert seen is not None
            if chance.random() < 0.5:
                await service.withdraw(session, living.journal, consent_id, subject=seen.subject, at=LATE)
                return "withdraw"
            after = await lasting.pause(
                session, living.journal, consent_id, subject=seen.subject, version=seen.version, at=LATE
            )
            await follow(session, after)
    except MoveError as refused:
        return refused.code
    return "pause"


async def test_the_round_beside_one_citizen(database: Database) -> None:
    """Every consent ends in a state its moves lead to, each move once, and nothing failed on the way."""
    living, chance = Living(database), random.Random(5)
    await living.citizen()
    ids = [(await living.given(f"c-{n:02}", days=90 if n % 3 == 0 else 1500)).id for n in range(MANY)]
    others = [Living(database, living.journal, living.told) for _ in range(2)]
    done = await asyncio.gather(
        *(acts(living, id, chance) for id in chance.sample(ids, MANY)),
        living.run(living.expiring, LATE),
        *(one.run(one.round, LATE) for one in others),
    )
    codes = Counter(one for one in done if isinstance(one, str))
    assert set(codes) <= {"pause", "withdraw", "consent_moved_on", "consent_move_illegal"}, codes
    await living.run(living.expiring, LATE)
    async with database.reading() as session:
        for id in ids:
            now = await repository.load(session, id)
            assert now is not None
            steps = await repository.steps_of(session, now)
            assert [step.after.version for step in steps] == list(range(1, now.version + 1))
            for step in steps[1:]:
                assert step.before is not None
                assert TRANSITIONS[step.before.state, step.move] is step.after.state
    entries = len(await living.rows("ledger_outbox"))
    assert entries == len(await living.rows("consent_version"))
