"""Somebody else's things, and one's own after the citizen withdrew: every door, a code, nothing changed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.demo.participants import CLIENT
from gateway.oauth.dpop import token_hash
from tests.flows.messages import token
from tests.flows.told import told
from tests.world import SECOND, Given, World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def ask(given: Given, key: str | None, **body: Any) -> httpx.Response:
    """POST /transfers as it is answered."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return await given.company.call(
        "POST", f"{given.company.issuer}/transfers", headers=headers, json=body or {}
    )


async def get(given: Given, path: str) -> httpx.Response:
    """GET with the grant's token as it is answered."""
    return await given.company.call("GET", given.company.issuer + path)


async def delivered(world: World, given: Given) -> tuple[str, str]:
    """The paths of a ready transfer and of its bundle."""
    transfer = await world.settled(given.company, await given.company.ask_transfer())
    assert transfer["state"] == "ready"
    return f"/transfers/{transfer['id']}", transfer["bundle"].removeprefix(world.origin)


async def test_another_clients_transfer_and_bundle_are_not_there(world: World) -> None:
    """They look exactly like ones that never were, and no delivery is entered."""
    mine = await world.given()
    theirs = await world.given(await world.company(SECOND))
    transfer, bundle = await delivered(world, mine)
    async with world.unchanged():
        bodies = [
            told(await get(theirs, path), "not_found", 404)
            for path in (transfer, bundle, "/transfers/t-never", "/bundles/b-never")
        ]
    assert all(body == bodies[0] for body in bodies)


async def test_a_grant_opens_only_its_own_consent(world: World) -> None:
    """The same client with a token of another consent does not find the transfer or the bundle either."""
    one, other = await world.given(), await world.given()
    transfer, bundle = await delivered(world, one)
    async with world.unchanged():
        told(await get(other, transfer), "not_found", 404)
        told(await get(other, bundle), "not_found", 404)


async def test_a_stolen_token_is_worth_nothing_without_its_key(world: World) -> None:
    """Another client's key, no proof at all, or the Bearer scheme: 401, nothing is told."""
    given, thief = await world.given(), await world.company(SECOND)
    thief.keys = world.second_keys
    thief.keys.proof = type(thief.keys)().proof
    thief.tokens = given.tokens
    url = f"{world.origin}/transfers"
    async with world.unchanged():
        stolen = await thief.call("POST", url, headers={"Idempotency-Key": "stolen-token"})
        told(stolen, "token_invalid", 401)
        bearer = {"Authorization": f"Bearer {given.tokens['access_token']}"}
        told(await world.http.post(url, headers=bearer), "token_invalid", 401)
        plain = {"Authorization": f"DPoP {given.tokens['access_token']}"}
        told(await world.http.post(url, headers=plain), "dpop_missing", 401)


async def test_a_companys_own_token_opens_no_citizens_door(world: World) -> None:
    """A client_credentials token names no grant: it is at the wrong door."""
    given = await world.given()
    answered = await token(given.company, grant_type="client_credentials", scope="company")
    given.company.tokens = answered.json()
    async with world.unchanged():
        told(await ask(given, "wrong-door-1"), "token_wrong_door", 403)


async def test_after_a_withdrawal_every_door_is_closed(world: World) -> None:
    """Transfer, status, bundle, refresh, code, introspection: refused with the reason; nothing comes back."""
    given = await world.given()
    transfer, bundle = await delivered(world, given)
    assert (await given.citizen.withdraw(given.consent_id)).status == 200
    refresh = {"grant_type": "refresh_token", "refresh_token": given.tokens["refresh_token"]}
    async with world.unchanged(entries=8):
        told(await ask(given, "after-withdrawal"), "consent_withdrawn", 401)
        told(await get(given, transfer), "consent_withdrawn", 401)
        told(await get(given, bundle), "consent_withdrawn", 401)
        told(await token(given.company, **refresh), "consent_withdrawn", 400)
        for held in (given.tokens["access_token"], given.tokens["refresh_token"]):
            url = f"{world.origin}/introspect"
            fields = {"token": held, "client_id": CLIENT, **given.company._assertion()}
            answered = await world.http.post(
                url, data=fields, headers={"DPoP": given.company._proof("POST", url)}
            )
            assert answered.json() == {"active": False}
        again = await given.citizen.browser.open(f"{world.origin}/my/consents/{given.consent_id}/withdraw")
        assert again.url.endswith(given.consent_id)
    held = [row for row in await world.rows("bundle") if row["consent_id"] == given.consent_id]
    assert [row["sealed"] for row in held if row["sealed"]] == []


@pytest.mark.parametrize("key", [None, "short", "k" * 129, "with space inside"])
async def test_a_transfer_needs_one_usable_key(world: World, key: str | None) -> None:
    """No Idempotency-Key, or one that cannot name a request: refused before anything is decided."""
    given = await world.given()
    async with world.unchanged():
        told(await ask(given, key), "idempotency_key_needed", 400)


async def test_two_keys_are_no_key(world: World) -> None:
    """Two Idempotency-Key headers do not say which one counts."""
    given, url = await world.given(), f"{world.origin}/transfers"
    signed = await given.company.call("GET", f"{world.origin}/transfers/t-none")
    headers = [(k, v) for k, v in signed.request.headers.raw if k.lower() in {b"authorization"}]
    proof = given.company._proof("POST", url, ath=token_hash(given.tokens["access_token"]))
    async with world.unchanged():
        keys = [(b"Idempotency-Key", b"first-key"), (b"Idempotency-Key", b"second-key")]
        sent = [*headers, (b"DPoP", proof.encode()), *keys]
        told(await world.http.post(url, headers=sent, json={}), "idempotency_key_needed", 400)


async def test_a_key_names_one_request(world: World) -> None:
    """The same key for other items is a mismatch; for the same items the first answer, adding nothing."""
    given = await world.given()
    first = (await ask(given, "names-one-request", items=["hanbit-bank/finance.deposit-transactions"])).json()
    await world.settled(given.company, first)
    async with world.unchanged():
        told(await ask(given, "names-one-request"), "idempotency_mismatch", 409)
        other = await ask(given, "names-one-request", items=["dadam-market/retail.orders"])
        told(other, "idempotency_mismatch", 409)
        same = await ask(given, "names-one-request", items=["hanbit-bank/finance.deposit-transactions"])
        assert (same.status_code, same.json()["id"]) == (202, first["id"])


async def test_a_refused_key_stays_refused_and_adds_nothing(world: World) -> None:
    """Repeating a refusal under its key gives the same decision and writes nothing more."""
    given = await world.given()
    paid = ["nuri-telecom/telecom.paid-transactions"]
    async with world.unchanged(entries=1):
        first = told(await ask(given, "refused-by-rule", items=paid), "transfer_refused", 403)
        decisions = await world.rows("policy_decision")
        for _ in range(3):
            again = told(await ask(given, "refused-by-rule", items=paid), "transfer_refused", 403)
            assert again["params"]["decision"] == first["params"]["decision"]
        assert await world.rows("policy_decision") == decisions
        told(await ask(given, "refused-by-rule"), "idempotency_mismatch", 409)
    reasons = {one["code"]: one for one in first["params"]["reasons"]}
    assert reasons["periodic_to_general_recipient"]["item"] == paid[0]
    assert "42-5(3)" in reasons["periodic_to_general_recipient"]["article"]
    assert all(one["text"] for one in reasons.values())


async def test_asking_again_and_again_for_what_is_refused_fills_nothing(world: World) -> None:
    """After ten refusals of one consent in a minute the next is turned away before anything is written."""
    given = await world.given()
    paid = ["nuri-telecom/telecom.paid-transactions"]
    for number in range(10):
        told(await ask(given, f"again-and-again-{number}", items=paid), "transfer_refused", 403)
    counted = world.parts.asking.refusals.uncounted["too_many_requests"]
    async with world.unchanged():
        decisions = await world.rows("policy_decision")
        answer = await ask(given, "again-and-again-10", items=paid)
        told(answer, "too_many_requests", 429)
        assert answer.headers["retry-after"] == "60"
        assert world.parts.asking.refusals.uncounted["too_many_requests"] == counted + 1
        told(await ask(given, "again-and-again-3", items=paid), "transfer_refused", 403)
        assert await world.rows("policy_decision") == decisions


@pytest.mark.parametrize("path", ["/token/", "/par/", "/transfers/", "/consent/x/", "/readyz/"])
async def test_a_slash_too_many_is_no_door(world: World, path: str) -> None:
    """No address is redirected to another one: what was sent there is not sent on (FAPI2-SP 5.3.2.2-10)."""
    async with httpx.AsyncClient() as http:
        for method in ("GET", "POST"):
            answer = await http.request(method, world.origin + path)
            assert answer.status_code == 404


# The last one: a world half a year on goes on ending things by itself.
async def test_a_consent_that_ran_out_gives_nothing(world: World) -> None:
    """The day after its end: refused at every door, without anybody having written anything."""
    given = await world.given()
    before = await world.contents()
    await world.forward(181 * 86_400)
    given.company.tokens = dict(given.tokens)
    assert (await ask(given, "a-day-late")).json()["code"] in {"consent_expired", "token_invalid"}
    refresh = {"grant_type": "refresh_token", "refresh_token": given.tokens["refresh_token"]}
    told(await token(given.company, **refresh), "consent_expired", 400)
    assert await world.contents() == before
