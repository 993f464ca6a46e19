"""The official modules about pushed requests: the reference, its one use, and client authentication."""

from __future__ import annotations

from typing import Any

from tests.conformance.official import error_page, official, official_each, refusal, second_client
from tests.conformance.varied import VariedStage

AUTHENTICATION = ({"invalid_request", "invalid_client"}, 400, 401)


@official("par-ensure-reused-request-uri-prior-to-auth-completion-succeeds")
async def test_second_visit(stage: VariedStage) -> None:
    """FAPI 2.0 5.3.2.2 note 3: a visit without an answer uses nothing up; the second one succeeds."""
    reference = (await stage.push()).json()["request_uri"]
    first = await stage.visit(reference)
    second = await stage.visit(reference)
    assert (first.status_code, second.status_code) == (303, 303)
    interaction = second.headers["location"].rpartition("/")[2]
    await stage.settle(interaction)
    code = stage.told(await stage.resume(interaction))["code"]
    assert (await stage.token(code)).status_code == 200


@official("par-attempt-reuse-request_uri")
async def test_visit_after_the_answer(stage: VariedStage) -> None:
    """After completion the reference leads nowhere, and the token stays alive."""
    reference = (await stage.push()).json()["request_uri"]
    interaction = (await stage.visit(reference)).headers["location"].rpartition("/")[2]
    await stage.settle(interaction)
    code = stage.told(await stage.resume(interaction))["code"]
    token = (await stage.token(code)).json()["access_token"]
    error_page(await stage.visit(reference))
    assert (await stage.call(token)).status_code == 200


@official("par-attempt-to-use-expired-request_uri")
async def test_expired_reference(stage: VariedStage) -> None:
    """Past its `expires_in` a reference is refused."""
    pushed = (await stage.push()).json()
    stage.clock.forward(pushed["expires_in"] + 1)
    error_page(await stage.visit(pushed["request_uri"]))


@official("par-attempt-to-use-request_uri-for-different-client")
async def test_reference_of_another_client(stage: VariedStage) -> None:
    """RFC 9126 2.2: a reference is bound to the client that pushed it."""
    reference = (await stage.push()).json()["request_uri"]
    await second_client(stage)
    error_page(await stage.visit(reference))


@official("par-authorization-request-containing-request_uri-form-param")
async def test_reference_inside_a_push(stage: VariedStage) -> None:
    """RFC 9126 2.1: request_uri may not be pushed."""
    errors = {"invalid_request", "invalid_request_object", "request_uri_not_supported"}
    refusal(await stage.push(request_uri="urn:ietf:params:oauth:request_uri:random"), errors)


@official("par-attempt-invalid-http-method")
async def test_put(stage: VariedStage) -> None:
    """RFC 9126 2.3: 405 for anything but POST."""
    response = await stage.wire("/par").put("/par", data={"client_id": stage.client_id})
    assert response.status_code == 405


@official("par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted")
async def test_assertion_8_seconds_ahead(stage: VariedStage) -> None:
    """FAPI 2.0 5.3.2.1-13: iat and nbf up to 10 seconds ahead are accepted."""
    ahead: dict[str, Any] = {"iat": stage.now + 8, "nbf": stage.now + 8}
    assert (await stage.push(client_assertion=stage.assertion(**ahead))).status_code == 201


@official_each(
    "claims",
    {
        "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails": {
            "iat": 65,
            "nbf": 65,
            "exp": 125,
        },
        "par-test-array-as-audience-fails": {"aud": ["ISSUER", "https://other.example"]},
        "par-test-par-endpoint-url-as-audience-fails": {"aud": "ISSUER/par"},
        "par-test-token-endpoint-url-as-audience-fails": {"aud": "ISSUER/token"},
    },
)
async def test_bad_assertion_at_par(stage: VariedStage, claims: dict[str, Any]) -> None:
    """FAPI 2.0 5.3.2.1-8 and -13: each is refused at PAR, and a good assertion is accepted after it."""
    refusal(await stage.push(client_assertion=stage.assertion(**bent(stage, claims))), *AUTHENTICATION)
    assert (await stage.push()).status_code == 201


@official_each(
    "form",
    {
        "par-ensure-pkce-required": {"code_challenge": None, "code_challenge_method": None},
        "par-plain-pkce-rejected": {"code_challenge": "v" * 50, "code_challenge_method": "plain"},
    },
)
async def test_pkce_at_par(stage: VariedStage, form: dict[str, Any]) -> None:
    """FAPI 2.0 5.3.2.2-5: a challenge is required, and only S256."""
    refusal(await stage.push(**form), {"invalid_request"})


def bent(stage: VariedStage, claims: dict[str, Any]) -> dict[str, Any]:
    """Claims with seconds counted from now and ISSUER replaced."""
    made = dict(claims)
    for name, value in claims.items():
        if isinstance(value, int):
            made[name] = stage.now + value
        elif isinstance(value, list):
            made[name] = [one.replace("ISSUER", stage.issuer) for one in value]
        elif isinstance(value, str):
            made[name] = value.replace("ISSUER", stage.issuer)
    return made
