"""The sixteen lines a holder checks its tokens by (FSI, appendix 5), run against the sandbox holders' tokens.

Where the sandbox has no refresh token, no code and no support token, its line shows what is there instead.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jws

from connectors.authorization import (
    JWT_BEARER,
    REQUEST_TYPE,
    ConsentTerms,
    Gateway,
    HolderToken,
    notify,
    token,
)
from connectors.contract import Outcome, Reason
from connectors.errors import HolderError
from connectors.sandbox import finance
from connectors.sandbox.people import Citizen
from tests.unit.connectors.sandboxes import NOW, Sandbox, everybody

NINETY_DAYS = 90 * 86_400
NOW_AT = int(NOW.timestamp())


class Moving(Sandbox):
    """A sandbox bank whose gateway can live at another moment."""

    def __init__(self) -> None:
        super().__init__(finance, "finance")
        self.terms = ConsentTerms("consent-1", 1, NOW_AT + 86_400, (self.dataset,))

    async def given(self, person: Any, terms: ConsentTerms | None = None) -> tuple[str, int]:
        """A token of this person under `terms`, and when it ends."""
        return await token(self.gateway, self.holder.manifest, await self.link(person), terms or self.terms)

    async def said(self, **claims: Any) -> httpx.Response:
        """The bank's answer to a request with these claims beside the usual."""
        whole = {
            "iss": self.gateway.code, "aud": self.holder.manifest.origin, "jti": self.gateway.new_id(),
            "iat": NOW_AT, "exp": NOW_AT + 60, "consent_id": "consent-1", "consent_version": 1,
            "consent_end": NOW_AT + 86_400, "datasets": [self.dataset], **claims,
        }  # fmt: skip
        form = {"grant_type": JWT_BEARER, "assertion": self.sign(whole, REQUEST_TYPE)}
        return await self.asked(form)

    async def opens(self, value: str) -> str:
        """What the bank's list of accounts answers to a token."""
        headers = {"authorization": f"Bearer {value}", "x-api-tran-id": "ZZAA000001M00000000000001"}
        answer = await self.http.get("/v1/bank/accounts?org_code=ZZAA000001&limit=10", headers=headers)
        return str(answer.json()["rsp_code"])

    async def asked(self, form: dict[str, str]) -> httpx.Response:
        """The bank's answer to this form."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return await self.http.post("/oauth/2.0/token", content=urlencode(form), headers=headers)


@pytest.fixture
def bank() -> Moving:
    """A bank and its customers."""
    return Moving()


def customers() -> list[Citizen]:
    """People who have accounts at the bank."""
    return [person for person in everybody() if person.knows("finance")]


def claims_of(value: str) -> dict[str, Any]:
    """What a JWS says, unverified."""
    return dict(json.loads(jws.extract_compact(value.encode()).payload))


async def reason(waiting: Any) -> Reason:
    """Why the bank refused."""
    with pytest.raises(HolderError) as caught:
        await waiting
    return caught.value.reason


async def test_fsi_1_1_tokens_are_jws(bank: Moving) -> None:
    """A signed JWS whose issuer is the holder, audience the operator, with number, end and scope."""
    value, _ = await bank.given(customers()[0])
    claims = claims_of(value)
    assert set(claims) == {"iss", "aud", "jti", "exp", "scope"}
    assert (claims["iss"], claims["aud"]) == ("ZZAA000001", "mydata-gateway")
    assert claims["scope"] == bank.dataset
    assert jws.extract_compact(value.encode()).headers()["alg"] == "ES256"


async def test_fsi_1_2_nothing_to_renew_outlives_the_request(bank: Moving) -> None:
    """There is no refresh token to be shorter than the request: each token is asked for under the request."""
    answer = await bank.said(sub=await bank.link(customers()[0]))
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}


async def test_fsi_1_3_access_tokens_are_short(bank: Moving) -> None:
    """Five minutes, far below ninety days, even where the request lasts longer."""
    long = replace(bank.terms, end=NOW_AT + 4 * NINETY_DAYS)
    value, ends = await bank.given(customers()[0], long)
    assert claims_of(value)["exp"] - NOW_AT == ends - NOW_AT == 300 < NINETY_DAYS


async def test_fsi_1_4_no_refresh_token_is_given(bank: Moving) -> None:
    """No refresh token could live beyond a year, because the refresh grant is not there."""
    answer = await bank.asked({"grant_type": "refresh_token", "refresh_token": "x"})
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


async def test_fsi_1_5_no_token_without_a_person(bank: Moving) -> None:
    """No support token is given: neither by client credentials nor by a request that names nobody."""
    answer = await bank.asked({"grant_type": "client_credentials", "scope": "manage"})
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    assert (await bank.said()).json()["reason"] == "unknown_link"


async def test_fsi_1_6_a_token_ends_with_its_request(bank: Moving) -> None:
    """A token is cut to the end of the request it was asked under."""
    value, ends = await bank.given(customers()[0], replace(bank.terms, end=NOW_AT + 20))
    assert claims_of(value)["exp"] == ends == NOW_AT + 20


async def test_fsi_2_1_a_token_is_for_the_person_linked(bank: Moving) -> None:
    """Somebody else's link under this consent gets none; a made-up link gets none."""
    first, second = customers()[:2]
    await bank.given(first)
    assert await reason(bank.given(second)) is Reason.DENIED
    assert await reason(token(bank.gateway, bank.holder.manifest, "made-up", bank.terms)) is Reason.NO_LINK


async def test_fsi_2_2_no_token_is_given_twice(bank: Moving) -> None:
    """Each has its own number; a request that was seen before gives none."""
    person = customers()[0]
    values = [claims_of((await bank.given(person))[0])["jti"] for _ in range(3)]
    assert len(set(values)) == 3
    link = await bank.link(person)
    assert (await bank.said(sub=link, jti="once-1")).status_code == 200
    assert (await bank.said(sub=link, jti="once-1")).json()["reason"] == "replayed_assertion"


async def test_fsi_2_3_only_the_gateway_it_knows_gets_tokens(bank: Moving) -> None:
    """Another issuer, another audience, another key: refused before anything is looked at."""
    link = await bank.link(customers()[0])
    assert (await bank.said(sub=link, iss="another-gateway")).status_code == 401
    assert (await bank.said(sub=link, aud="https://another.example")).status_code == 401
    stranger = Gateway(bank.gateway.code, Moving().sign, bank.http, now=NOW.timestamp)
    assert await reason(token(stranger, bank.holder.manifest, link, bank.terms)) is Reason.DENIED


async def test_fsi_2_4_what_is_exchanged_for_a_token_lives_a_minute(bank: Moving) -> None:
    """The signed request takes the code's place: a minute, once, never an hour."""
    link = await bank.link(customers()[0])
    assert (await bank.said(sub=link, exp=NOW_AT + 61)).json()["reason"] == "bad_assertion"
    old = await bank.said(sub=link, iat=NOW_AT - 120, exp=NOW_AT - 60)
    assert (old.status_code, old.json()["reason"]) == (401, "expired_assertion")


async def test_fsi_2_5_a_token_opens_its_own_datasets_only(bank: Moving) -> None:
    """What the holder does not serve is never put into a token."""
    foreign = replace(bank.terms, datasets=("telecom.bills",))
    assert await reason(bank.given(customers()[0], foreign)) is Reason.UNKNOWN_DATASET


async def test_fsi_3_1_renewing_gives_a_new_short_token_and_changes_nothing(bank: Moving) -> None:
    """Asking again under the same version leaves the earlier token as it was."""
    held = HolderToken(bank.gateway, bank.holder.manifest, await bank.link(customers()[0]), bank.terms)
    first = await held(False)
    assert await held(False) == first
    assert await held(True) != first
    assert await bank.opens(first) == "00000"


async def test_fsi_3_2_an_amendment_ends_earlier_tokens(bank: Moving) -> None:
    """Once the holder heard of version 2, a token of version 1 opens nothing."""
    first, _ = await bank.given(customers()[0])
    assert await bank.opens(first) == "00000"
    await notify(bank.gateway, bank.holder.manifest, "consent-1", 2, "narrowed")
    assert await bank.opens(first) == "40199"
    assert await reason(bank.given(customers()[0])) in (Reason.REVOKED, Reason.DENIED)


async def test_fsi_3_3_a_withdrawal_ends_tokens_at_once(bank: Moving) -> None:
    """After the notice neither the token nor a new request is served."""
    first, _ = await bank.given(customers()[0])
    await notify(bank.gateway, bank.holder.manifest, "consent-1", 2, "withdrawn")
    assert await bank.opens(first) == "40404"
    assert await reason(bank.given(customers()[0], replace(bank.terms, version=3))) is Reason.REVOKED


async def test_fsi_4_1_nobody_elses_data(bank: Moving) -> None:
    """What one customer's token brings has no account of another's."""
    mine, theirs = customers()[:2]
    since = date(2026, 5, 1)
    got = await bank.pull(mine, since)
    other = await bank.pull(theirs, since)
    assert got.outcome is Outcome.COMPLETE
    accounts = [{json.loads(r.body)["account_num"] for r in pulled.records} for pulled in (got, other)]
    assert accounts[0]
    assert not accounts[0] & accounts[1]


async def test_fsi_4_2_nothing_after_the_end(bank: Moving) -> None:
    """A request that is over gets no token; a living token whose request ended gets 40106."""
    value, ends = await bank.given(customers()[0], replace(bank.terms, end=NOW_AT + 400))
    assert ends == NOW_AT + 300
    await bank.given(customers()[0], replace(bank.terms, version=1, end=NOW_AT + 20))
    assert await bank.opens(value) == "00000"
    bank.at = NOW_AT + 20
    assert await bank.opens(value) == "40106"
    over = replace(bank.terms, consent_id="consent-2", end=NOW_AT + 20)
    assert await reason(bank.given(customers()[0], over)) is Reason.REVOKED
