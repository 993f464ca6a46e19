"""The official modules about the token endpoint: code, verifier, client and refresh token."""

from __future__ import annotations

from typing import Any

from tests.conformance.modules.test_fapi2_modules_par import bent
from tests.conformance.official import (
    DUMMY,
    answer,
    identified,
    official,
    official_each,
    refusal,
    second_client,
)
from tests.conformance.varied import NONCE, VariedStage
from tests.oauth_keys import es256, rs


@official("ensure-client-id-in-token-endpoint")
async def test_client_id_of_another(stage: VariedStage) -> None:
    """The second client's id with the first client's key or certificate, and in the form only."""
    code, first = await stage.code(), stage.key
    await stage.register("second-company", rs())
    claims: dict[str, Any] = {"iss": "second-company", "sub": "second-company"}
    mixed = [{"client_assertion": stage.assertion(first, **claims)}, {"client_assertion": stage.assertion()}]
    for sent in mixed if stage.variant.client_auth_type == "private_key_jwt" else [{}]:
        response = await stage.token(code, client_id="second-company", **sent)
        refusal(response, {"invalid_client", "invalid_grant"}, 400, 401)
    assert (await stage.token(code)).status_code == 200


@official("ensure-holder-of-key-required")
async def test_no_proof(stage: VariedStage) -> None:
    """No sender constraint, no token. TLS versions and ciphers belong to the terminator in front."""
    code = await stage.code()
    match stage.variant.sender_constrain, stage.variant.client_auth_type:
        case "dpop", _:
            errors = {"invalid_request", "invalid_grant", "invalid_dpop_proof"}
        case "mtls", "private_key_jwt":
            errors = {"invalid_request", "invalid_grant", "invalid_client"}
        case _:
            errors = {"invalid_request", "invalid_client"}
    refusal(await stage.unheld(stage.token, code), errors, 400, 401)
    assert (await stage.token(code)).status_code == 200


@official("ensure-authorization-code-is-bound-to-client")
async def test_code_of_another(stage: VariedStage) -> None:
    """RFC 6749 5.2: invalid_grant."""
    code = await stage.code()
    await second_client(stage)
    refusal(await stage.token(code), {"invalid_grant"})


@official("attempt-reuse-authorization-code-after-one-second")
async def test_code_twice(stage: VariedStage) -> None:
    """invalid_grant, and the token of the first use is revoked (RFC 6749 4.1.2)."""
    code = await stage.code()
    token = (await stage.token(code)).json()["access_token"]
    assert (await stage.call(token)).status_code == 200
    stage.clock.forward(1)
    refusal(await stage.token(code), {"invalid_grant"})
    assert (await stage.call(token)).status_code == 401


@official("ensure-token-endpoint-fails-with-expired-auth-code")
async def test_code_after_62_seconds(stage: VariedStage) -> None:
    """FAPI 2.0 5.3.2.1-11: a code lives a minute at most."""
    code = await stage.code()
    stage.clock.forward(62)
    refusal(await stage.token(code), {"invalid_grant"})


@official("ensure-signed-client-assertion-with-RS256-fails")
async def test_rs256_assertion(stage: VariedStage) -> None:
    """FAPI 2.0 5.4.1: the registered RSA key under RS256 is refused, under PS256 accepted."""
    good = rs()
    bad = good.as_rs256()
    await stage.register("second-company", good)
    code, stage.client_id = "x" * 43, "second-company"
    refusal(await stage.token(code, client_assertion=stage.assertion(bad)), {"invalid_client"}, 400, 401)
    refusal(await stage.token(code, client_assertion=stage.assertion(good)), {"invalid_grant"})


@official("ensure-client-assertion-in-token-endpoint")
async def test_no_assertion(stage: VariedStage) -> None:
    """client_id alone is no authentication."""
    code = await stage.code()
    response = await stage.token(code, client_assertion=None, client_assertion_type=None)
    refusal(response, {"invalid_client", "invalid_request"}, 400, 401)


@official_each(
    "claims",
    {
        "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails": {"exp": -300},
        "ensure-client-assertion-with-wrong-aud-fails": {"aud": "https://other.example"},
        "ensure-client-assertion-with-no-sub-fails": {"sub": None},
    },
)
async def test_bad_assertion_at_token(stage: VariedStage, claims: dict[str, Any]) -> None:
    """Each is refused at the token endpoint; the code stays usable."""
    code = await stage.code()
    assertion = stage.assertion(**bent(stage, claims))
    response = await stage.token(code, client_assertion=assertion)
    refusal(response, {"invalid_client", "invalid_request"}, 400, 401)
    assert (await stage.token(code)).status_code == 200


@official_each(
    "form",
    {
        "ensure-pkce-code-verifier-required": {"code_verifier": None},
        "incorrect-pkce-code-verifier-rejected": {"code_verifier": "w" * 50},
    },
)
async def test_verifier(stage: VariedStage, form: dict[str, Any]) -> None:
    """RFC 7636 4.6: exactly invalid_grant, with status 400."""
    code = await stage.code()
    refusal(await stage.token(code, **form), {"invalid_grant"})


@official("refresh-token")
async def test_refresh(stage: VariedStage) -> None:
    """Works for its client with a new key and is not rotated; not without proof, not for another client.

    RFC 9449 5: a confidential client's refresh token is bound to the client, not to a proof key.
    """
    tokens = await stage.tokens()
    stage.dpop = es256()
    renewed = await stage.refresh(tokens["refresh_token"])
    assert renewed.status_code == 200, renewed.text
    body = renewed.json()
    assert body.get("refresh_token", tokens["refresh_token"]) == tokens["refresh_token"]
    assert body["access_token"] != tokens["access_token"]
    if stage.variant.recognises:
        said = await identified(stage, tokens, NONCE)
        again = await identified(stage, body, None)
        assert (again["sub"], again["auth_time"]) == (said["sub"], said["auth_time"])
    else:
        assert "id_token" not in body
    assert (await stage.call(body["access_token"])).status_code == 200
    response = await stage.unheld(stage.refresh, tokens["refresh_token"])
    certificate = stage.variant.client_auth_type == "mtls" and stage.variant.sender_constrain == "mtls"
    errors = {"invalid_request", "invalid_client"} | (set() if certificate else {"invalid_grant"})
    refusal(response, errors, *((400, 401) if stage.variant.sender_constrain == "mtls" else (400,)))
    first = await second_client(stage)
    code = (await answer(stage, redirect_uri=DUMMY))["code"]
    second = (await stage.token(code, redirect_uri=DUMMY)).json()["refresh_token"]
    stage.identity = first
    refusal(await stage.refresh(second), {"invalid_grant"})
