"""A transfer is given up: the citizen is told, and may withdraw in that very moment; both stores."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec

from consent import notices, repository_use
from consent import repository as consents
from consent.events import Event
from consent.notices import NoticeKind
from consent.subjects import SubjectId
from gateway.policy.decision import Grant
from gateway.policy.tables import PolicyDecisionRow
from gateway.transfers import repository
from gateway.transfers.repository import cancel_of_consent
from gateway.transfers.states import State
from gateway.transfers.tables import TransferRow
from gateway.transfers.worker import ATTEMPTS, Worker
from tests.oauth_stage import Stage
from tests.unit.gateway.oauth.test_together import grant_of


async def hopeless(stage: Stage) -> tuple[Worker, TransferRow]:
    """A worker, and a transfer that was tried as often as any is."""
    grant = await grant_of(stage)
    row = TransferRow(
        id="t-1", client_id=grant.client_id, grant_id=grant.id, consent_id=grant.consent_id,
        consent_version=1, subject_id=grant.subject_id, idempotency_key="key-0001", state=State.PULLING,
        decision_id="d", plan=b"null", created_at=stage.now, changed_at=stage.now, attempts=ATTEMPTS,
    )  # fmt: skip
    granted = [Grant("hanbit-bank", "finance.accounts", ("balance",), "portability", "PIPA 35-2")]
    decision = PolicyDecisionRow(
        id="d", at=stage.now, request_id="t-1", client_id=grant.client_id, consent_id=grant.consent_id,
        consent_version=1, allow=True, available=True, codes="[]", withheld="[]", obligations="[]",
        granted=msgspec.json.encode(granted).decode(), revision="r", engine="e", input_digest="i",
    )  # fmt: skip
    async with stage.database.transaction() as session:
        session.add_all([row, decision])
    nothing: Any = None  # what is pulled and released has no part in this
    clock = lambda: datetime.fromtimestamp(stage.now, UTC)  # noqa: E731
    return Worker(stage.database, stage.journal, nothing, nothing, nothing, clock), row


async def test_pipa_42_6_1_a_transfer_that_failed_is_told_with_each_item(stage: Stage) -> None:
    """One notice and one outcome an item, with the failure itself; again adds nothing."""
    worker, row = await hopeless(stage)
    for _ in range(2):
        await worker._give_up_if_hopeless(row, "internal")
    async with stage.database.reading() as session:
        (outcome,) = await repository_use.of_transfers(session, ["t-1"])
        (notice,) = await notices.of_subject(session, SubjectId(row.subject_id), limit=5)
        stored = await repository.transfer(session, "t-1")
    assert (outcome.item, outcome.outcome, outcome.reason) == (
        "hanbit-bank/finance.accounts",
        "failed",
        "gave_up",
    )
    assert (outcome.sent, outcome.asked) == ((), ("balance",))
    assert (notice.kind, notice.about) == (NoticeKind.TRANSFER_FAILED, f"{row.consent_id}#t-1")
    assert stored is not None
    assert (stored.state, stored.reason) == (State.FAILED, "internal")


async def test_giving_up_beside_a_withdrawal(stage: Stage) -> None:
    """The worker waits for the consent before it touches the transfer: the withdrawal is never refused."""
    worker, row = await hopeless(stage)
    subject, held = SubjectId(row.subject_id), asyncio.Event()

    async def give_up() -> None:
        await held.wait()
        await worker._give_up_if_hopeless(row, "internal")

    giving_up = asyncio.create_task(give_up())
    async with stage.database.transaction() as session:
        await consents.load(session, row.consent_id, lock=True)
        await stage.journal.append(
            session, Event.CONSENT_GRANT_WITHDRAWN, subject=subject, party="p", payload={}, at=stage.now
        )
        held.set()
        await asyncio.sleep(0.3)
        async with asyncio.timeout(0.5):
            ended = await cancel_of_consent(session, row.consent_id, stage.now, "consent_withdrawn")
    await giving_up

    assert list(ended) == ["t-1"]
