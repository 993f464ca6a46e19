"""At the holder's own doors: who may link, who gets a token, and what a withdrawal ends."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.authorization import (
    CLIENT_TYPE,
    JWT_BEARER,
    REQUEST_TYPE,
    Gateway,
    HolderToken,
    link,
    notify,
    token,
)
from connectors.contract import Manifest, Outcome, Reason
from connectors.errors import HolderError
from tests.unit.connectors import holders
from tests.unit.connectors.holders import Bench, bench, sign, statement

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


async def test_a_link_is_stable_and_opaque(bank: Bench) -> None:
    """The same person has the same link, another another, and neither says who it is."""
    kim, again, lee = await bank.link("ci-kim"), await bank.link("ci-kim"), await bank.link("ci-lee")
    assert kim == again
    assert kim != lee
    assert "kim" not in kim


async def test_somebody_who_is_no_customer_has_no_link(bank: Bench) -> None:
    """A stranger's statement is a NO_LINK, not a failure."""
    assert await _reason(bank.link("ci-nobody")) is Reason.NO_LINK


@pytest.mark.parametrize(
    "said",
    [
        statement("ci-kim", signer=holders.FOREIGN_KEY),
        statement("ci-kim", holder="another-bank"),
        statement("ci-kim", azp="other-gateway"),
        statement("ci-kim", iss="https://evil.example"),
        statement("ci-kim", iat=int(time.time()) - 200, exp=int(time.time()) - 140),
        statement("ci-kim", exp=int(time.time()) + 3600),
        statement("ci-kim", jti=""),
        sign({"iss": holders.ISSUER, "sub": "ci-kim"}, "JWT", holders.IDENTITY_KEY),
        "not.a.jws",
        "",
    ],
)
async def test_a_statement_that_is_not_for_this_holder_links_nobody(bank: Bench, said: str) -> None:
    """Foreign key, audience, gateway, issuer, stale, long-lived, nameless, mistyped: refused."""
    assert await _reason(link(bank.gateway, bank.holder.manifest, said)) is Reason.DENIED


async def test_a_statement_links_once(bank: Bench) -> None:
    """A replayed identity statement is refused."""
    said = statement("ci-kim")
    await link(bank.gateway, bank.holder.manifest, said)
    assert await _reason(link(bank.gateway, bank.holder.manifest, said)) is Reason.DENIED


async def test_a_token_is_short_and_never_outlives_the_consent(bank: Bench) -> None:
    """Five minutes, or to the consent's end if that is nearer."""
    linked, now = await bank.link("ci-kim"), int(time.time())
    _, ends = await token(bank.gateway, bank.holder.manifest, linked, bank.terms())
    assert now + 295 <= ends <= now + 305
    _, ends = await token(bank.gateway, bank.holder.manifest, linked, bank.terms(end=now + 20))
    assert ends == now + 20


async def test_another_gateways_link_gets_no_token(bank: Bench) -> None:
    """A link made for one gateway is nothing in the hands of another."""
    linked = await bank.link("ci-kim")

    def other_sign(claims: Any, typ: str) -> str:
        return sign(claims, typ, holders.OTHER_GATEWAY_KEY)

    other = Gateway("other-gateway", other_sign, bank.gateway.client)
    assert await _reason(token(other, bank.holder.manifest, linked, bank.terms())) is Reason.NO_LINK


async def test_a_made_up_link_gets_no_token(bank: Bench) -> None:
    """A link the holder never gave is unknown."""
    assert await _reason(token(bank.gateway, bank.holder.manifest, "made-up", bank.terms())) is Reason.NO_LINK


async def test_a_consent_belongs_to_the_person_it_was_first_used_with(bank: Bench) -> None:
    """Another customer's link under the same consent id is refused."""
    kim, lee = await bank.link("ci-kim"), await bank.link("ci-lee")
    await token(bank.gateway, bank.holder.manifest, kim, bank.terms())
    assert await _reason(token(bank.gateway, bank.holder.manifest, lee, bank.terms())) is Reason.DENIED


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"datasets": ("finance.card-approvals",)}, Reason.UNKNOWN_DATASET),
        ({"datasets": ()}, Reason.UNKNOWN_DATASET),
        ({"end": 1}, Reason.REVOKED),
    ],
)
async def test_terms_the_holder_does_not_know_get_no_token(
    bank: Bench, other: dict[str, Any], reason: Reason
) -> None:
    """An unknown dataset, none at all, or a consent that is over."""
    linked = await bank.link("ci-kim")
    assert await _reason(token(bank.gateway, bank.holder.manifest, linked, bank.terms(**other))) is reason


class Seconds(int):
    """So many seconds from the moment the assertion is made."""


async def _raw_token(bank: Bench, **other: Any) -> dict[str, Any]:
    now, claims = int(time.time()), bank.terms()
    other = {name: now + value if isinstance(value, Seconds) else value for name, value in other.items()}
    whole = {
        "iss": holders.GATEWAY,
        "sub": await bank.link("ci-kim"),
        "aud": bank.holder.manifest.origin,
        "jti": "one",
        "iat": now,
        "exp": now + 60,
        "consent_id": claims.consent_id,
        "consent_version": claims.version,
        "consent_end": claims.end,
        "datasets": [DATASET],
    }
    typ, signer = other.pop("typ", REQUEST_TYPE), other.pop("signer", holders.GATEWAY_KEY)
    form = {"grant_type": JWT_BEARER, "assertion": sign({**whole, **other}, typ, signer)}
    answer = await bank.gateway.client.post(f"{bank.holder.manifest.origin}/oauth/2.0/token", data=form)
    return {"status": answer.status_code, **answer.json()}


async def test_a_request_assertion_is_good_once(bank: Bench) -> None:
    """The same assertion a second time is a replay."""
    fixed = {"iat": int(time.time()), "exp": int(time.time()) + 50}
    assert (await _raw_token(bank, **fixed))["status"] == 200
    again = await _raw_token(bank, **fixed)
    assert (again["status"], again["reason"]) == (401, "replayed_assertion")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"iat": Seconds(-300), "exp": Seconds(-240)}, "expired_assertion"),
        ({"exp": Seconds(600)}, "bad_assertion"),
        ({"iat": Seconds(600), "exp": Seconds(650)}, "bad_assertion"),
        ({"aud": "https://another.example"}, "bad_assertion"),
        ({"aud": ["https://another.example"]}, "bad_assertion"),
        ({"iss": "unknown-gateway"}, "bad_assertion"),
        ({"jti": None}, "bad_assertion"),
        ({"typ": CLIENT_TYPE}, "bad_assertion"),
        ({"signer": holders.FOREIGN_KEY}, "bad_assertion"),
        ({"consent_version": "1"}, "malformed_consent"),
        ({"datasets": "finance.deposit-transactions"}, "unknown_dataset"),
        ({"datasets": [["nested"]]}, "unknown_dataset"),
    ],
)
async def test_a_bad_request_assertion_gets_no_token(bank: Bench, other: dict[str, Any], reason: str) -> None:
    """Expired, too long, from the future, for another, unknown, nameless, mistyped, forged, malformed."""
    answer = await _raw_token(bank, **other)
    assert answer["status"] in (400, 401)
    assert answer["reason"] == reason
    assert "access_token" not in answer


async def test_a_consent_that_ends_during_a_pull_is_over(bank: Bench) -> None:
    """The holder itself stops at the consent's end, whatever the token says."""
    held = await bank.token("ci-kim", bank.terms(end=int(time.time()) + 60))
    await held(False)
    bank.clock.shift = 61
    after = await bank.pull(DATASET, token=held)
    assert (after.outcome, after.gaps[0].reason) == (Outcome.REFUSED, Reason.REVOKED)


async def test_a_token_that_ended_is_renewed_without_a_word(bank: Bench) -> None:
    """The pull asks for a new token before the old one ends."""
    held = await bank.token("ci-kim")
    first = await held(False)
    bank.clock.shift = 290
    assert await held(False) != first
    assert (await bank.pull(DATASET, token=held)).outcome is Outcome.COMPLETE


async def test_a_token_the_holder_forgot_is_renewed_once(bank: Bench) -> None:
    """A 401 brings one new token; a second 401 is final."""
    good, asked = await bank.token("ci-kim"), []

    async def forgotten(renew: bool) -> str:
        asked.append(renew)
        return await good(renew) if renew or True in asked else "forgotten"

    assert (await bank.pull(DATASET, token=forgotten)).outcome is Outcome.COMPLETE
    assert asked.count(True) == 1

    async def wrong(renew: bool) -> str:
        return "wrong"

    after = await bank.pull(DATASET, token=wrong)
    assert (after.outcome, after.gaps[0].reason, after.requests) == (Outcome.REFUSED, Reason.DENIED, 2)


@pytest.mark.parametrize("authorization", [None, "Bearer ", "Basic abc", "Bearer nonsense"])
async def test_a_data_door_opens_to_no_other_token(bank: Bench, authorization: str | None) -> None:
    """Missing, empty, of another scheme, unknown: 401 with the scheme named."""
    headers = {"authorization": authorization} if authorization else {}
    answer = await bank.gateway.client.get(f"{bank.holder.manifest.origin}/v1/bank/accounts", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_another_persons_account_is_40305_under_200(bank: Bench) -> None:
    """With Kim's token, Lee's account and Kim's own left-out account are both invalid accounts."""
    held = await bank.token("ci-kim")
    for account in ("220-1", "110-2"):
        answer = await bank.gateway.client.post(
            f"{bank.holder.manifest.origin}/v1/bank/accounts/deposit/transactions",
            json={
                "org_code": holders.ORG,
                "account_num": account,
                "seqno": "01",
                "from_dtime": "20260101000000",
                "to_dtime": "20261231235959",
                "limit": 10,
            },
            headers={"authorization": f"Bearer {await held(False)}", "x-api-tran-id": "T" * 25},
        )
        assert (answer.status_code, answer.json()["rsp_code"]) == (200, "40305")
        assert answer.headers["x-api-tran-id"] == "T" * 25


async def test_no_error_says_who_or_what(bank: Bench) -> None:
    """Errors hold no token, no link, no address, nothing the holder sent."""
    linked = await bank.link("ci-kim")
    await notify(bank.gateway, bank.holder.manifest, "c-1", 2, "withdrawn")
    with pytest.raises(HolderError) as caught:
        await token(bank.gateway, bank.holder.manifest, linked, bank.terms())
    assert caught.value.code == "holder_revoked"
    assert linked not in repr(caught.value)
    assert bank.holder.manifest.origin not in str(caught.value)


async def test_a_holder_that_is_not_there_is_down() -> None:
    """A closed port is HOLDER_DOWN for every door."""
    async with bench() as bank:
        here = bank.holder.manifest
        gone = Manifest(here.id, here.sector, here.name, "http://127.0.0.1:1", here.org_code, here.datasets)
        held = HolderToken(bank.gateway, gone, "any", bank.terms())
        for waiting in (
            link(bank.gateway, gone, "any"),
            held(False),
            notify(bank.gateway, gone, "c-1", 1, "withdrawn"),
        ):
            assert await _reason(waiting) is Reason.HOLDER_DOWN
