"""One citizen with several companies: a batch for all of them never waits in a circle with a withdrawal."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import update

from consent import repository
from consent.events import Event
from consent.subjects import SubjectId
from gateway.oauth.consents import CONSENT
from gateway.oauth.grants import GRANTS, Grant
from tests.oauth_stage import Stage
from tests.unit.gateway.oauth.test_together import grant_of, key, of_citizen


async def two_of_one_citizen(stage: Stage) -> list[Grant]:
    """Two grants on two consents of the same citizen, by the consents' ids."""
    first, second = sorted([await grant_of(stage), await grant_of(stage)], key=lambda g: g.consent_id)
    mine = first.subject_id
    async with stage.database.transaction() as session:
        of_consent = update(CONSENT).where(CONSENT.c.id == second.consent_id)
        await session.execute(of_consent.values(subject_id=mine))
        await session.execute(update(GRANTS).where(GRANTS.c.id == second.id).values(subject_id=mine))
    return [first, replace(second, subject_id=mine)]


async def test_a_withdrawal_beside_a_batch_with_both_consents(stage: Stage) -> None:
    """It has its consent, the batch wants both: the citizen's row is still free, so the withdrawal ends."""
    grants = await two_of_one_citizen(stage)
    subject = SubjectId(grants[0].subject_id)
    async with stage.database.transaction() as session:
        await repository.load(session, grants[1].consent_id, lock=True)
        waiting = [asyncio.create_task(stage.server.together.do(of_citizen(stage, g, key()))) for g in grants]
        await asyncio.sleep(0.3)
        async with asyncio.timeout(0.5):  # a store breaks a circle after a second, by refusing one of the two
            await stage.journal.append(
                session, Event.CONSENT_GRANT_WITHDRAWN, subject=subject, party="p", payload={}, at=stage.now
            )

    assert await asyncio.gather(*waiting) == [None, None]
