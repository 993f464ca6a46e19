"""What an account aggregator's certification tries in vain: stale, paused, ended, too often, tampered.

A delinked account is in tests/flows/test_chosen_accounts.py. Rows 10, 12 and 13 of the comparison are here.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from consent import lasting, service
from consent.records import By, Move, State, move
from gateway.policy.bundle import load as load_policy
from gateway.policy.embedded import EmbeddedEngine
from tests.oauth_stage import Stage
from tests.policy.table import question

QUARTER = 15 * 60
ENGINE = EmbeddedEngine(load_policy())
BANK = "hanbit-bank/finance.deposit-transactions"


def put(path: str, value: Any) -> dict[str, Any]:
    """One change of the question."""
    return {"op": "replace", "path": path, "value": value}


async def reasons(*patch: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Why policy denies the changed question as a whole, and why it keeps the bank's item."""
    decision = await ENGINE.decide(question(*patch))
    return {one.code for one in decision.codes}, {o.code for o in decision.withheld if o.item == BANK}


@pytest.mark.parametrize("off", [-QUARTER - 1, -QUARTER, QUARTER, QUARTER + 1])
async def test_aa_timestamp_a_quarter_of_an_hour_off_is_refused(stage: Stage, off: int) -> None:
    """A proof or an assertion that old, or that far in the future, opens no door; a fresh one does."""
    tokens = await stage.tokens()
    access = tokens["access_token"]
    before = await stage.state()
    assert (await stage.call(access, iat=stage.now + off)).status_code == 401
    stale = stage.assertion(iat=stage.now + off, exp=stage.now + off + 60)
    refused = await stage.refresh(tokens["refresh_token"], client_assertion=stale)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert await stage.state() == before
    assert (await stage.call(access)).status_code == 200


async def test_aa_paused_consent_is_refused(stage: Stage) -> None:
    """InvalidConsentStatus: the token of a paused consent opens nothing until it goes on."""
    tokens = await stage.tokens()
    consent = stage.consent
    assert consent is not None
    async with stage.database.transaction() as session:
        await lasting.pause(
            session, stage.journal, consent.id, subject=consent.subject, version=consent.version, at=stage.now
        )
    refused = await stage.call(tokens["access_token"])
    assert (refused.status_code, refused.json()["code"]) == (401, "consent_paused")


async def test_aa_revoked_consent_is_refused(stage: Stage) -> None:
    """Revoked by the company, withdrawn by the citizen: the same door, closed at once."""
    tokens = await stage.tokens()
    consent = stage.consent
    assert consent is not None
    async with stage.database.transaction() as session:
        await service.revoke(
            session, stage.journal, consent.id, party=stage.client_id, why="no_longer_needed", at=stage.now
        )
    assert (await stage.call(tokens["access_token"])).status_code == 401
    assert (await stage.refresh(tokens["refresh_token"])).status_code == 400


async def test_aa_expired_consent_is_refused(stage: Stage) -> None:
    """From the second its last day is over."""
    tokens = await stage.tokens()
    assert stage.consent is not None
    stage.clock.forward(stage.consent.terms.end_at - stage.now)
    assert (await stage.refresh(tokens["refresh_token"])).status_code == 400
    assert await reasons(put("/request/time", 1810857600)) == ({"consent_ended"}, set())


@pytest.mark.parametrize("state", [state.value for state in State if state is not State.ACTIVE])
async def test_aa_no_state_but_active_lets_data_go(state: str) -> None:
    """Whatever else a consent is, policy says so and nothing leaves."""
    codes, _ = await reasons(put("/consent/state", state))
    assert codes == {"consent_not_active"}


async def test_aa_over_frequency_is_refused() -> None:
    """InvalidConsentUse: a second before its time, more often than fair in a day or in a month."""
    now, week = 1795305600, 604_800
    early = put("/request/items/0/prior", {"count": 1, "last": now - week + 1, "recent": 1, "day": 0})
    due = put("/request/items/0/prior", {"count": 1, "last": now - week, "recent": 1, "day": 0})
    daily = put("/request/items/0/prior", {"count": 1, "last": now - week, "recent": 1, "day": 1})
    monthly = put("/request/items/0/prior", {"count": 40, "last": now - week, "recent": 31, "day": 0})
    assert (await reasons(early))[1] == {"too_soon"}
    assert (await reasons(due))[1] == set()
    assert (await reasons(daily))[1] == {"used_too_often"}
    assert (await reasons(monthly))[1] == {"used_too_often"}


async def test_aa_second_onetime_is_refused() -> None:
    """What was agreed to go once goes once, however long ago that was."""
    once = (
        put("/request/items/0/frequency", "once"),
        put("/request/items/0/interval_days", None),
        put("/consent/items/0/frequency", "once"),
    )
    sent = put("/request/items/0/prior", {"count": 1, "last": 1, "recent": 0, "day": 0})
    assert (await reasons(*once))[1] == set()
    assert (await reasons(*once, sent))[1] == {"already_sent"}


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_aa_tampered_token_is_refused(stage: Stage, part: int) -> None:
    """SignatureDoesNotMatch: one changed letter in header, claims or signature."""
    tokens = await stage.tokens()
    pieces = tokens["access_token"].split(".")
    middle = len(pieces[part]) // 2
    letter = "A" if pieces[part][middle] != "A" else "B"
    pieces[part] = f"{pieces[part][:middle]}{letter}{pieces[part][middle + 1 :]}"
    assert (await stage.call(".".join(pieces))).status_code == 401


async def test_aa_tampered_claims_are_refused(stage: Stage) -> None:
    """A later end written into the claims, the signature kept."""
    header, claims, signature = (await stage.tokens())["access_token"].split(".")
    said = json.loads(base64.urlsafe_b64decode(f"{claims}=="))
    said["exp"] += 86_400
    bent = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    assert (await stage.call(f"{header}.{bent}.{signature}")).status_code == 401


async def test_row_10_each_ending_is_a_state_of_its_own(stage: Stage) -> None:
    """Withdrawn, revoked, expired and invalidated differ, and each says who did it."""
    await stage.tokens()
    consent = stage.consent
    assert consent is not None
    end = consent.terms.end_at
    withdrawn = move(consent, Move.WITHDRAW, stage.now)
    revoked = move(consent, Move.REVOKE, stage.now, by=By.RECIPIENT, why="no_longer_needed")
    expired = move(consent, Move.EXPIRE, end, by=By.GATEWAY)
    invalid = move(consent, Move.INVALIDATE, stage.now, by=By.OPERATOR, why="mistaken_identity")
    states = [one.state for one in (withdrawn, revoked, expired, invalid)]
    assert states == [State.WITHDRAWING, State.REVOKED, State.EXPIRED, State.INVALIDATED]
    assert [one.by for one in (withdrawn, revoked, expired, invalid)] == [
        By.CITIZEN, By.RECIPIENT, By.GATEWAY, By.OPERATOR,
    ]  # fmt: skip


async def test_row_12_tokens_are_dead_with_the_commit_of_the_withdrawal(stage: Stage) -> None:
    """No job runs in between: the next call, refresh and exchange of a code are refused."""
    tokens = await stage.tokens()
    await stage.withdraw()
    assert (await stage.call(tokens["access_token"])).status_code == 401
    assert (await stage.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_row_13_a_company_gives_one_grant_up_and_another_keeps_its_own(stage: Stage) -> None:
    """Revoking at one recipient touches no other recipient of the same holder."""
    mine = await stage.tokens()
    first = await stage.become("another-budget")
    theirs = await stage.tokens()
    other, stage.identity = stage.identity, first
    assert (await stage.post("/revoke", None, token=mine["refresh_token"])).status_code == 200
    assert (await stage.refresh(mine["refresh_token"])).status_code == 400
    stage.identity = other
    assert (await stage.call(theirs["access_token"])).status_code == 200
    assert (await stage.refresh(theirs["refresh_token"])).status_code == 200
