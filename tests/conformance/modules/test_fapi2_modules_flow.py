"""The official modules about the flow itself: what must work, what must be tolerated, what must be shown."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlsplit

from gateway.oauth.jws import import_jwk
from tests.conformance.official import (
    DUMMY,
    answer,
    error_page,
    granted,
    identified,
    official,
    refusal,
    second_client,
)
from tests.conformance.varied import VariedStage
from tests.oauth_company import REDIRECT
from tests.oauth_keys import b64

ALLOWED = {"PS256", "ES256", "EdDSA", "Ed25519"}
SWAPPED = {"dpop": "dpOP", "bearer": "bEARER"}
METADATA = "/.well-known/oauth-authorization-server"


@official("discovery-end-point-verification")
async def test_discovery(stage: VariedStage) -> None:
    """Both documents are JSON, name the issuer they were fetched from, and offer what FAPI 2.0 demands."""
    for path in (METADATA, "/.well-known/openid-configuration"):
        response = await stage.http.get(path)
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        told = response.json()
        assert told["issuer"] + path == str(response.url)
        assert told["authorization_response_iss_parameter_supported"] is True
        assert isinstance(told["require_pushed_authorization_requests"], bool)
        assert "S256" in told["code_challenge_methods_supported"]
        assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
        assert {"authorization_code", "refresh_token"} <= set(told["grant_types_supported"])
        assert told["response_types_supported"] == ["code"]
        assert {
            "token_endpoint_auth_signing_alg_values_supported",
            "dpop_signing_alg_values_supported",
        } <= set(told)
        for name, value in told.items():
            assert not name.endswith("_alg_values_supported") or set(value) <= ALLOWED, name
            assert not name.endswith(("_endpoint", "_uri")) or value.startswith("https://"), name
    assert "pushed_authorization_request_endpoint" in told
    _offers(stage, told)
    assert (await stage.http.get(told["jwks_uri"])).json()["keys"]


@official("happy-flow")
async def test_happy_flow(stage: VariedStage) -> None:
    """Two clients; a DPoP key is bound by a proof at PAR first, then by dpop_jkt alone.

    The token works under any Accept header, never from the query, and never for who does not hold its key.
    """
    by_proof: dict[str, Any] = {}
    if stage.variant.sender_constrain == "dpop":
        by_proof = {"proof": stage.proof("POST", "/par")}
    first = (await granted(stage, **by_proof))["access_token"]
    for accept in ("application/json; charset=utf-8", "application/json, application/*+json, */*"):
        headers = {**held(stage, first), "Accept": accept}
        assert (await stage.wire("/data").get("/data", headers=headers)).status_code == 200
    in_query = await stage.wire("/data").get("/data", params={"access_token": first})
    assert in_query.status_code == 401
    before = await second_client(stage)
    jkt: dict[str, Any] = {"dpop_jkt": _jkt(stage)} if by_proof else {}
    code = await answer(stage, redirect_uri=DUMMY, **jkt)
    assert len(code["code"]) >= 22
    response = await stage.token(code["code"], redirect_uri=DUMMY)
    assert response.status_code == 200, response.text
    second = response.json()["access_token"]
    assert (await stage.call(second)).status_code == 200
    assert (await stage.call(first)).status_code == 401
    stage.identity = before
    assert (await stage.call(second)).status_code == 401
    assert (await stage.call(first)).status_code == 200


@official("user-rejects-authentication")
async def test_the_citizen_says_no(stage: VariedStage) -> None:
    """access_denied with the state of 128 characters and `iss`; the query of the redirect URI comes back."""
    told = await answer(stage, allowed=False, state="s" * 128)
    assert (told["error"], told["state"], told["iss"]) == ("access_denied", "s" * 128, stage.issuer)
    assert set(told) <= {"error", "error_description", "state", "iss"}
    await second_client(stage)
    told = await answer(stage, allowed=False, redirect_uri=DUMMY)
    assert (told["error"], told["dummy1"], told["dummy2"]) == ("access_denied", "lorem", "ipsum")
    assert set(told) <= {"error", "error_description", "state", "iss", "dummy1", "dummy2"}


@official("ensure-authorization-request-without-state-success")
async def test_without_state(stage: VariedStage) -> None:
    """No state sent, none returned."""
    told = await answer(stage, state=None)
    assert set(told) == {"code", "iss"}
    assert (await stage.token(told["code"])).status_code == 200


@official("ensure-authorization-request-without-nonce-success")
async def test_without_nonce(stage: VariedStage) -> None:
    """A nonce is not needed."""
    await granted(stage, nonce=None)


@official("ensure-authorization-request-with-64-char-nonce-success")
async def test_nonce_of_64(stage: VariedStage) -> None:
    """FAPI 2.0 5.3.2.2-14: 64 characters must work."""
    await granted(stage, nonce="n" * 64)


@official("ensure-authorization-request-with-long-nonce")
async def test_nonce_of_384(stage: VariedStage) -> None:
    """384 characters work too."""
    await granted(stage, nonce="n" * 384)


@official("ensure-authorization-request-with-long-state")
async def test_state_of_1000(stage: VariedStage) -> None:
    """A thousand characters come back unchanged."""
    told = await answer(stage, state="s" * 1000)
    assert told["state"] == "s" * 1000


@official("access-token-type-header-case-sensitivity")
async def test_scheme_in_inverted_case(stage: VariedStage) -> None:
    """RFC 9110 11.1: the scheme may be written `dpOP`, or `bEARER`."""
    token = (await stage.tokens())["access_token"]
    headers = held(stage, token)
    headers["Authorization"] = f"{SWAPPED[stage.variant.token_type]} {token}"
    assert (await stage.wire("/data").get("/data", headers=headers)).status_code == 200


@official("ensure-different-nonce-inside-and-outside-request-object")
async def test_other_nonce_in_the_query(stage: VariedStage) -> None:
    """What was not pushed is ignored: the flow goes on with the pushed nonce."""
    told = await _visited(stage, {"nonce": "inside"}, {"nonce": "outside"})
    answered = await stage.token(told["code"])
    assert answered.status_code == 200
    if stage.variant.recognises:
        await identified(stage, answered.json(), "inside")


@official("ensure-different-state-inside-and-outside-request-object")
async def test_other_state_in_the_query(stage: VariedStage) -> None:
    """The pushed state comes back, not the one beside the reference."""
    told = await _visited(stage, {"state": "inside"}, {"state": "outside"})
    assert told["state"] == "inside"


@official("state-only-outside-request-object-not-used")
async def test_state_only_in_the_query(stage: VariedStage) -> None:
    """A state that was not pushed does not come back."""
    assert "state" not in await _visited(stage, {"state": None}, {"state": "outside"})


@official("par-without-duplicate-parameters")
async def test_only_the_reference_in_the_query(stage: VariedStage) -> None:
    """client_id and request_uri alone are enough (RFC 9101 5)."""
    reference = (await stage.push()).json()["request_uri"]
    visited = await stage.visit(reference)
    assert set(visited.request.url.params) == {"client_id", "request_uri"}
    interaction = visited.headers["location"].rpartition("/")[2]
    await stage.settle(interaction)
    assert "code" in stage.told(await stage.resume(interaction))


@official("ensure-unsigned-authorization-request-without-using-par-fails")
async def test_everything_in_the_query(stage: VariedStage) -> None:
    """A request that was not pushed ends at an error page."""
    asked = {
        "client_id": stage.client_id,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "state": "s",
        "code_challenge": b64(hashlib.sha256(stage.verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    error_page(await stage.http.get("/authorize", params=asked))


@official("ensure-request-object-without-redirect-uri-fails")
async def test_no_redirect_uri(stage: VariedStage) -> None:
    """FAPI 2.0 5.3.2.2-6: redirect_uri must be pushed."""
    refusal(await stage.push(redirect_uri=None), {"invalid_request"})


@official("ensure-redirect-uri-in-authorization-request")
async def test_redirect_uri_only_in_the_query(stage: VariedStage) -> None:
    """A redirect_uri beside a reference that has none does not help: there is no such reference."""
    refusal(await stage.push(redirect_uri=""), {"invalid_request"})
    query = {"client_id": stage.client_id, "redirect_uri": REDIRECT}
    error_page(await stage.http.get("/authorize", params=query))


@official("ensure-registered-redirect-uri")
async def test_appended_redirect_uri(stage: VariedStage) -> None:
    """An address that merely begins like a registered one."""
    refusal(await stage.push(redirect_uri=f"{REDIRECT}/appended"), {"invalid_request"})


@official("plain-fapi-tolerate-unregistered-redirect-uri")
async def test_unregistered_redirect_uri(stage: VariedStage) -> None:
    """RFC 9126 2.4 would allow it, we do not: invalid_request at PAR, one of the two answers accepted."""
    refusal(await stage.push(redirect_uri="https://deundeun.example/other"), {"invalid_request"})


@official("ensure-response-type-code-idtoken-fails")
async def test_code_id_token(stage: VariedStage) -> None:
    """FAPI 2.0 5.3.2.2-1: no token through the browser."""
    response = await stage.push(response_type="code id_token")
    refusal(response, {"unsupported_response_type", "invalid_request"})


@official("ensure-response-type-token-fails")
async def test_token_response_type(stage: VariedStage) -> None:
    """The same for `token`."""
    refusal(await stage.push(response_type="token"), {"unsupported_response_type", "invalid_request"})


def held(stage: VariedStage, token: str) -> dict[str, str]:
    """The headers a call with this token carries."""
    if stage.variant.sender_constrain == "mtls":
        return {"Authorization": f"Bearer {token}"}
    ath = b64(hashlib.sha256(token.encode()).digest())
    return {"Authorization": f"DPoP {token}", "DPoP": stage.proof("GET", "/data", ath=ath)}


def _offers(stage: VariedStage, told: dict[str, Any]) -> None:
    """What the variant needs is in the metadata."""
    if stage.variant.shows_certificate:
        assert told["tls_client_certificate_bound_access_tokens"] is True
        assert "tls_client_auth" in told["token_endpoint_auth_methods_supported"]
        aliases = told["mtls_endpoint_aliases"]
        assert aliases["token_endpoint"] == f"{stage.origin}/token"
        assert aliases["pushed_authorization_request_endpoint"] == f"{stage.origin}/par"
    if stage.variant.signs:
        assert {"PS256", "ES256"} <= set(told["request_object_signing_alg_values_supported"])
    if stage.variant.signed_answers:
        assert "jwt" in told["response_modes_supported"]
        assert set(told["authorization_signing_alg_values_supported"]) <= ALLOWED
    if stage.variant.recognises:
        assert "openid" in told["scopes_supported"]
        assert told["subject_types_supported"] == ["pairwise"]
        assert told["id_token_signing_alg_values_supported"]
        assert {"sub", "auth_time", "acr"} <= set(told["claims_supported"])


def _jkt(stage: VariedStage) -> str:
    return import_jwk(stage.dpop.jwk)[1]


async def _visited(
    stage: VariedStage, pushed: dict[str, str | None], beside: dict[str, str]
) -> dict[str, str]:
    reference = (await stage.push(**pushed)).json()["request_uri"]
    location = (await stage.visit(reference, **beside)).headers["location"]
    assert urlsplit(location).query == ""
    interaction = location.rpartition("/")[2]
    await stage.settle(interaction)
    return stage.told(await stage.resume(interaction))
