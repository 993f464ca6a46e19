"""`kill -9` while expiries are written and unused consents stopped: each is one move, whole, once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta

from consent.ledger.entry import decode
from gateway.database import Database
from tests.unit.gateway.retention.living import TODAY, Living, noon
from tests.warm import start

ENDING, UNUSED = 110, 60
LATE = noon(TODAY + timedelta(days=250))


async def moved(living: Living) -> Counter[str]:
    """How many versions each move made."""
    return Counter(row.move for row in await living.rows("consent_version"))


async def killed_after(living: Living, number: int, wait: float) -> bool:
    """Start a process and kill it `wait` seconds past so many moves; False if it had ended by then."""
    child = await start("tests.faults.expirer", living.database.url, str(LATE))
    for _ in range(3000):
        if child.returncode is not None or (await moved(living)).total() - ENDING - UNUSED >= number:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(wait)
    killed = child.returncode is None
    if killed:
        child.kill()
    await child.wait()
    return killed


async def test_killed_while_consents_end(database: Database) -> None:
    """Killed twice on its way, then left alone: every one expired or paused once, one entry for each."""
    living, chance = Living(database), random.Random(11)
    await living.citizen()
    for number in range(ENDING):
        await living.given(f"c-end-{number}", days=90)
    for number in range(UNUSED):
        await living.given(f"c-idle-{number}", days=1500)
    for part in (40, 130):
        await killed_after(living, part, chance.uniform(0, 0.02))
    while await killed_after(living, ENDING + UNUSED + 1, 0.0):
        pass

    assert await moved(living) == {"give": ENDING + UNUSED, "expire": ENDING, "pause": UNUSED}
    states = Counter((row.state, row.why) for row in await living.rows("consent"))
    assert states == {("expired", None): ENDING, ("paused", "idle"): UNUSED}
    kinds = Counter(decode(row.entry).kind for row in await living.rows("ledger_outbox"))
    assert kinds["consent:grant:expired"] == ENDING
    assert kinds["consent:grant:paused"] == UNUSED
    grants = {row.consent_id: row.consent_version for row in await living.rows("oauth_grant")}
    versions = {row.id: row.version for row in await living.rows("consent") if row.state == "paused"}
    assert {id: grants[id] for id in versions} == versions
    told = Counter(row.kind for row in await living.rows("notice"))
    assert told["idle_paused"] == UNUSED
