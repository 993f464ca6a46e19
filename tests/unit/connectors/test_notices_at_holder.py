"""At the holder's door for notices: what a withdrawal and a narrowing end, and who cannot withdraw."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.authorization import Gateway, notify, token
from connectors.contract import Outcome, Reason
from connectors.errors import HolderError
from tests.unit.connectors import holders
from tests.unit.connectors.holders import Bench, bench, sign

DATASET = "finance.deposit-transactions"


@pytest.fixture
async def bank() -> AsyncIterator[Bench]:
    """A bank and a gateway it believes."""
    async with bench() as opened:
        yield opened


async def _reason(waiting: Any) -> Reason:
    with pytest.raises(HolderError) as caught:
        await waiting
    return caught.value.reason


async def test_a_withdrawal_ends_tokens_and_data_at_once(bank: Bench) -> None:
    """After the acknowledged notice neither the old token nor a new one gives anything."""
    held = await bank.token("ci-kim")
    assert (await bank.pull(DATASET, token=held)).outcome is Outcome.COMPLETE
    at = await notify(bank.gateway, bank.holder.manifest, "c-1", 2, "withdrawn")
    assert abs(at.timestamp() - time.time()) < 10
    after = await bank.pull(DATASET, token=held)
    assert (after.outcome, after.records) == (Outcome.REFUSED, ())
    assert [gap.reason for gap in after.gaps] == [Reason.REVOKED]
    assert await _reason(
        token(bank.gateway, bank.holder.manifest, await bank.link("ci-kim"), bank.terms())
    ) is (Reason.REVOKED)


async def test_a_withdrawal_may_be_told_twice_and_before_first_use(bank: Bench) -> None:
    """Notices are repeatable, and a consent withdrawn before its first pull stays withdrawn."""
    for _ in range(2):
        await notify(bank.gateway, bank.holder.manifest, "c-9", 1, "withdrawn")
    linked = await bank.link("ci-kim")
    reason = await _reason(token(bank.gateway, bank.holder.manifest, linked, bank.terms("c-9")))
    assert reason is Reason.REVOKED


async def test_a_narrowing_kills_tokens_of_the_wider_version(bank: Bench) -> None:
    """The old version gets nothing, the new one does."""
    held = await bank.token("ci-kim")
    await held(False)
    await notify(bank.gateway, bank.holder.manifest, "c-1", 2, "narrowed")
    assert (await bank.pull(DATASET, token=held)).outcome is Outcome.REFUSED
    newer = await bank.token("ci-kim", bank.terms(version=2))
    assert (await bank.pull(DATASET, token=newer)).outcome is Outcome.COMPLETE


async def test_a_forged_notice_withdraws_nothing(bank: Bench) -> None:
    """Only the gateway that holds the key can withdraw."""

    def forged(claims: Any, typ: str) -> str:
        return sign(claims, typ, holders.FOREIGN_KEY)

    forger = Gateway(holders.GATEWAY, forged, bank.gateway.client)
    waiting = notify(forger, bank.holder.manifest, "c-1", 2, "withdrawn")
    assert await _reason(waiting) is Reason.DENIED
    assert (await bank.pull(DATASET)).outcome is Outcome.COMPLETE


async def test_another_gateway_cannot_withdraw_our_consent(bank: Bench) -> None:
    """Consents are named per gateway."""

    def other_sign(claims: Any, typ: str) -> str:
        return sign(claims, typ, holders.OTHER_GATEWAY_KEY)

    other = Gateway("other-gateway", other_sign, bank.gateway.client)
    await notify(other, bank.holder.manifest, "c-1", 2, "withdrawn")
    assert (await bank.pull(DATASET)).outcome is Outcome.COMPLETE
