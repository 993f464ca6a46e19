"""RFC 9126 and FAPI 2.0 5.3.2.2: pushed authorization requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.oauth.jws import import_jwk
from tests.conformance.refused import refused
from tests.oauth_keys import es256
from tests.oauth_stage import Stage, asked_details, redirected

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One store is enough here: what depends on the store is in test_token, test_authorization, test_metadata."""


async def test_push_answers_201_with_a_short_lived_reference(stage: Stage) -> None:
    """RFC 9126 2.2; expires_in under 600 (FAPI 2.0 5.3.2.2-12); uncacheable."""
    response = await stage.push()
    assert response.status_code == 201
    assert 0 < response.json()["expires_in"] < 600
    assert response.json()["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("form", "error", "code"),
    [
        pytest.param(
            {"request_uri": "urn:x"},
            "invalid_request",
            "invalid_request",
            id="par-authorization-request-containing-request_uri-form-param",
        ),
        pytest.param(
            {"request": "e.y.J"}, "invalid_request_object", "request_object_invalid", id="request-object"
        ),
        pytest.param(
            {"redirect_uri": None},
            "invalid_request",
            "redirect_uri_unregistered",
            id="ensure-request-object-without-redirect-uri-fails",
        ),
        pytest.param(
            {"redirect_uri": "https://deundeun.example/callback/"},
            "invalid_request",
            "redirect_uri_unregistered",
            id="ensure-registered-redirect-uri",
        ),
        pytest.param(
            {"redirect_uri": 'https://evil.example/"é'},
            "invalid_request",
            "redirect_uri_unregistered",
            id="redirect-uri-with-odd-characters",
        ),
        pytest.param(
            {"response_type": "code id_token"},
            "unsupported_response_type",
            "unsupported_response_type",
            id="ensure-response-type-code-idtoken-fails",
        ),
        pytest.param(
            {"response_type": "token"},
            "unsupported_response_type",
            "unsupported_response_type",
            id="ensure-response-type-token-fails",
        ),
        pytest.param(
            {"response_type": None},
            "invalid_request",
            "invalid_request",
            id="response-type-missing",
        ),
        pytest.param(
            {"code_challenge": None, "code_challenge_method": None},
            "invalid_request",
            "pkce_required",
            id="par-ensure-pkce-required",
        ),
        pytest.param(
            {"code_challenge_method": "plain"},
            "invalid_request",
            "pkce_required",
            id="par-plain-pkce-rejected",
        ),
        pytest.param(
            {"code_challenge_method": None}, "invalid_request", "pkce_required", id="pkce-method-missing"
        ),
        pytest.param({"code_challenge": "short"}, "invalid_request", "pkce_required", id="pkce-short"),
        pytest.param({"client_id": None}, "invalid_request", "invalid_request", id="client-id-missing"),
        pytest.param({"scope": "everything"}, "invalid_scope", "invalid_scope", id="unknown-scope"),
        pytest.param({"response_mode": "fragment"}, "invalid_request", "invalid_request", id="mode"),
        pytest.param({"state": "s" * 1025}, "invalid_request", "invalid_request", id="state-too-long"),
        pytest.param({"dpop_jkt": "short"}, "invalid_request", "invalid_request", id="jkt-malformed"),
    ],
)
async def test_refused_requests(stage: Stage, form: dict[str, Any], error: str, code: str) -> None:
    """Each is refused with its error, and nothing is stored."""
    await refused(stage, stage.push(**form), 400, error, code)


@pytest.mark.parametrize("name", ["state", "nonce"])
@pytest.mark.parametrize("length", [64, 384])
async def test_ensure_authorization_request_with_long_values(stage: Stage, name: str, length: int) -> None:
    """State and nonce of 64 and of 384 characters work; the state comes back whole."""
    interaction = await stage.interaction(**{name: "a" * length})
    await stage.settle(interaction)
    answer = redirected(await stage.resume(interaction))
    assert answer.get("state") == ("a" * length if name == "state" else "s-1")


async def test_ensure_authorization_request_without_state_success(stage: Stage) -> None:
    """Without state there is none in the answer, but iss always."""
    interaction = await stage.interaction(state=None)
    await stage.settle(interaction)
    assert set(redirected(await stage.resume(interaction))) == {"code", "iss"}


@pytest.mark.parametrize(
    "details",
    [
        None,
        "",
        "not json",
        "{}",
        "[]",
        "[1]",
        '[{"type": "other"}]',
        json.dumps([{"type": "mydata_transfer", "holder": "hanbit-bank"}]),
        "[" * 5000,
    ],
)
async def test_unusable_authorization_details(stage: Stage, details: str | None) -> None:
    """Missing, malformed or of unknown type: invalid_authorization_details (RFC 9396 5)."""
    before = await stage.state()
    response = await stage.push(authorization_details=details)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_authorization_details")
    assert response.json()["code"] != "internal"
    assert await stage.state() == before


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        ({"dataset": "finance.no-such-thing"}, "item_not_in_catalogue"),
        ({"fields": ["trans_dtime", "no_such_field"]}, "field_not_in_catalogue"),
        ({"history_from": "1999-01-01"}, "history_too_long"),
        ({"frequency": "P0D"}, "frequency_invalid"),
    ],
)
async def test_overbroad_authorization_details(stage: Stage, bend: dict[str, Any], code: str) -> None:
    """What the catalogue does not allow is refused with the consent part's own code."""
    details = json.dumps(asked_details(stage.today, **bend))
    response = await stage.push(authorization_details=details)
    body = response.json()
    assert (response.status_code, body["error"]) == (400, "invalid_authorization_details")
    assert code in (body["code"], body.get("params", {}).get("reason"))


async def test_par_without_duplicate_parameters(stage: Stage) -> None:
    """A parameter given twice is refused."""
    body = "client_id=a&client_id=b"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    sent = stage.http.post("/par", content=body, headers=headers)
    await refused(stage, sent, 400, "invalid_request", "invalid_request")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_par_attempt_invalid_http_method(stage: Stage, method: str) -> None:
    """Only POST pushes."""
    assert (await stage.http.request(method, "/par")).status_code == 405


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"{}", "application/json"),
        (b"a=%zz", "application/x-www-form-urlencoded"),
        (b"a=%ff", "application/x-www-form-urlencoded"),
        (b"a=1&=2", "application/x-www-form-urlencoded"),
        (b"a=1#b", "application/x-www-form-urlencoded"),
        ("é=1".encode(), "application/x-www-form-urlencoded"),
        (b"a=%00", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % n for n in range(70)), "application/x-www-form-urlencoded"),
    ],
)
async def test_malformed_bodies(stage: Stage, content: bytes, media: str) -> None:
    """Anything but a clean form is an invalid_request, never a 500."""
    sent = stage.http.post("/par", content=content, headers={"content-type": media})
    await refused(stage, sent, 400, "invalid_request", "invalid_request")


async def test_a_body_too_large_is_refused(stage: Stage) -> None:
    """More than the limit is refused before it is read whole."""
    sent = stage.http.post(
        "/par",
        content=b"a=" + b"x" * 200_000,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    await refused(stage, sent, 413, "invalid_request", "too_large")


async def test_ensure_dpopproof_at_par_endpoint_binding_success(stage: Stage) -> None:
    """A proof at PAR binds the code to its key (RFC 9449 10.1)."""
    code = await stage.code(proof=stage.proof("POST", "/par"))
    assert (await stage.token(code)).status_code == 200


async def test_ensure_dpop_auth_code_binding_success(stage: Stage) -> None:
    """`dpop_jkt` binds it too."""
    jkt = await _jkt(stage)
    code = await stage.code(dpop_jkt=jkt)
    assert (await stage.token(code)).status_code == 200


async def test_ensure_mismatched_dpop_jkt_fails(stage: Stage) -> None:
    """`dpop_jkt` of another key than the proof at PAR."""
    sent = stage.push(proof=stage.proof("POST", "/par", es256()), dpop_jkt=await _jkt(stage))
    await refused(stage, sent, 400, "invalid_dpop_proof", "dpop_invalid")


async def test_ensure_token_endpoint_fails_with_mismatched_dpop_jkt(stage: Stage) -> None:
    """The token request must prove the key `dpop_jkt` named; the code stays usable with the right one."""
    code = await stage.code(dpop_jkt=await _jkt(stage))
    other = stage.proof("POST", "/token", es256())
    await refused(stage, stage.token(code, other), 400, "invalid_grant", "proof_key_mismatch")
    assert (await stage.token(code)).status_code == 200


async def test_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(stage: Stage) -> None:
    """The same for a key bound by a proof at PAR."""
    code = await stage.code(proof=stage.proof("POST", "/par"))
    other = stage.proof("POST", "/token", es256())
    await refused(stage, stage.token(code, other), 400, "invalid_grant", "proof_key_mismatch")


async def _jkt(stage: Stage) -> str:
    return import_jwk(stage.dpop.jwk)[1]
