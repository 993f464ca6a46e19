"""Who may not come in at the authorization server's doors: stable code, clear words, nothing changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.demo.company import Company, CompanyKeys
from gateway.oauth import clients
from tests.flows.messages import assertion, form, proof, push, token
from tests.flows.told import told
from tests.world import SECOND, World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_unknown_client_is_told_so(world: World) -> None:
    """A client nobody registered is refused with 401 and leaves no trace in the ledger."""
    stranger = Company(
        world.http, world.origin, "nobody-here", CompanyKeys(), "https://x.example/", lambda: 0
    )
    stranger._now = lambda: world.clock.seconds
    async with world.unchanged():
        body = told(await push(stranger), "client_unknown", 401)
    assert body["error"] == "invalid_client"


@pytest.mark.parametrize(
    "broken",
    [
        "another_key",
        "another_audience",
        "expired",
        "from_the_future",
        "no_jti",
        "not_a_jwt",
        "another_client",
    ],
)
async def test_a_bad_assertion_authenticates_nobody(world: World, broken: str) -> None:
    """Wrong key, audience, dates, jti, form or subject: 401, nothing stored, nothing entered."""
    company, now = await world.company(), world.clock.seconds
    bad: dict[str, Callable[[], str]] = {
        "another_key": lambda: assertion(company, ec.generate_private_key(ec.SECP256R1())),
        "another_audience": lambda: assertion(company, aud=f"{world.origin}/token"),
        "expired": lambda: assertion(company, exp=now - 61, iat=now - 120),
        "from_the_future": lambda: assertion(company, iat=now + 3600, exp=now + 3700),
        "no_jti": lambda: assertion(company, jti=""),
        "not_a_jwt": lambda: "never.a.jwt",
        "another_client": lambda: assertion(company, iss=SECOND, sub=SECOND),
    }
    async with world.unchanged():
        response = await push(company, client_assertion=bad[broken]())
        body = told(response, "client_assertion_invalid", 401)
    assert body["error"] == "invalid_client"
    assert body["params"]["what"]


async def test_no_assertion_at_all(world: World) -> None:
    """Without an assertion the answer says what to send."""
    company = await world.company()
    fields = {k: v for k, v in form(company).items() if not k.startswith("client_assertion")}
    async with world.unchanged():
        told(await world.http.post(f"{world.origin}/par", data=fields), "client_assertion_missing", 401)


@pytest.mark.parametrize("broken", ["htm", "htu", "iat", "form"])
async def test_a_bad_proof_is_refused(world: World, broken: str) -> None:
    """A proof of another method, address, time or no proof at all: 400, at most the refusal is entered."""
    company = await world.company()
    bad: dict[str, Callable[[], str]] = {
        "htm": lambda: proof(company, htm="GET"),
        "htu": lambda: proof(company, htu=f"{world.origin}/token"),
        "iat": lambda: proof(company, iat=world.clock.seconds - 600),
        "form": lambda: "not-a-proof",
    }
    async with world.unchanged(entries=1):
        body = told(await push(company, proof=bad[broken]()), "dpop_invalid", 400)
    assert body["error"] == "invalid_dpop_proof"


async def test_a_token_request_without_proof(world: World) -> None:
    """Tokens are bound to keys: no proof, no token."""
    company = await world.company()
    async with world.unchanged(entries=1):
        told(await token(company, "", grant_type="client_credentials"), "dpop_missing", 400)


async def test_an_assertion_works_once(world: World) -> None:
    """The same assertion a second time authenticates nobody, even with a fresh proof."""
    company = await world.company()
    used = assertion(company)
    await push(company, client_assertion=used)
    async with world.unchanged(entries=1):
        told(await push(company, client_assertion=used), "client_assertion_replayed", 401)


async def test_a_proof_works_once(world: World) -> None:
    """The same proof a second time proves nothing, even with a fresh assertion."""
    company = await world.company()
    used = proof(company)
    await push(company, proof=used)
    async with world.unchanged(entries=1):
        told(await push(company, proof=used), "dpop_replayed", 400)


async def test_refusals_fill_the_ledger_only_so_far(world: World) -> None:
    """However often an authenticated client is refused, ten entries a minute are all that is written."""
    company = await world.company(SECOND)
    async with world.unchanged(entries=20):
        for _ in range(25):
            told(await push(company), "details_not_json", 400)


async def test_a_suspended_client_opens_no_door(world: World) -> None:
    """Suspended: no push, no token, no transfer or question with a token it holds."""
    company = await world.company(SECOND)
    given = await world.given(company)
    transfer = await world.settled(company, await company.ask_transfer("before-suspension"))
    async with world.database.transaction() as session:
        assert await clients.suspend(session, SECOND, at=world.clock.seconds)
    async with world.unchanged():
        told(await push(company), "client_suspended", 401)
        refresh = {"grant_type": "refresh_token", "refresh_token": given.tokens["refresh_token"]}
        told(await token(company, **refresh), "client_suspended", 401)
        for method, path in (
            ("POST", "/transfers"),
            ("POST", "/precheck"),
            ("POST", "/access/v1/evaluation"),
            ("POST", "/access/v1/evaluations"),
            ("GET", f"/transfers/{transfer['id']}"),
            ("GET", f"/bundles/{transfer['bundle'].rsplit('/', 1)[1]}"),
        ):
            headers = {"Idempotency-Key": "after-suspension"}
            answered = await company.call(method, world.origin + path, headers=headers)
            told(answered, "client_suspended", 401)


async def test_the_answer_is_in_the_callers_language(world: World) -> None:
    """A data door answers in Korean or in English as asked."""
    for language, words in (("ko", "접근 토큰이 없어요."), ("en", "There is no access token.")):
        response = await world.http.post(f"{world.origin}/transfers", headers={"Accept-Language": language})
        assert told(response, "token_missing", 401)["title"] == words
