"""A worker that gives a transfer up, and a citizen who withdraws in that very moment, on both stores."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from consent import repository as consents
from consent.events import Event
from consent.subjects import SubjectId
from gateway.transfers.repository import cancel_of_consent
from gateway.transfers.states import State
from gateway.transfers.tables import TransferRow
from gateway.transfers.worker import ATTEMPTS, Worker
from tests.oauth_stage import Stage
from tests.unit.gateway.oauth.test_together import grant_of


async def test_giving_up_beside_a_withdrawal(stage: Stage) -> None:
    """The worker waits for the consent before it touches the transfer: the withdrawal is never refused."""
    grant = await grant_of(stage)
    subject = SubjectId(grant.subject_id)
    row = TransferRow(
        id="t-1", client_id=grant.client_id, grant_id=grant.id, consent_id=grant.consent_id,
        consent_version=1, subject_id=subject, idempotency_key="key-0001", state=State.PULLING,
        decision_id="d", plan=b"null", created_at=stage.now, changed_at=stage.now, attempts=ATTEMPTS,
    )  # fmt: skip
    async with stage.database.transaction() as session:
        session.add(row)
    nothing: Any = None  # what is pulled and released has no part in this
    clock = lambda: datetime.fromtimestamp(stage.now, UTC)  # noqa: E731
    worker, held = Worker(stage.database, stage.journal, nothing, nothing, nothing, clock), asyncio.Event()

    async def give_up() -> None:
        await held.wait()
        await worker._give_up_if_hopeless(row, "internal")

    giving_up = asyncio.create_task(give_up())
    async with stage.database.transaction() as session:
        await consents.load(session, grant.consent_id, lock=True)
        await stage.journal.append(
            session, Event.CONSENT_GRANT_WITHDRAWN, subject=subject, party="p", payload={}, at=stage.now
        )
        held.set()
        await asyncio.sleep(0.3)
        async with asyncio.timeout(0.5):
            ended = await cancel_of_consent(session, grant.consent_id, stage.now, "consent_withdrawn")
    await giving_up

    assert list(ended) == ["t-1"]
