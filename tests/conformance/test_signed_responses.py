"""JARM (FAPI 2.0 Message Signing 5.4): the authorization response as one signed parameter."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.oauth.jws import import_jwk, parse, verify
from tests.conformance.official import DUMMY, answer, second_client
from tests.conformance.refused import refused
from tests.oauth_stage import Stage
from tests.request_objects import push, signed


async def opened(stage: Stage, response: str) -> dict[str, Any]:
    """The claims of a JWT whose signature a key of the published set made."""
    jws = parse(response)
    keys = (await stage.http.get("/.well-known/jwks.json")).json()["keys"]
    (jwk,) = [key for key in keys if key["kid"] == jws.header["kid"]]
    assert jws.header["alg"] == jwk["alg"] == "ES256"
    assert verify(jws, import_jwk(jwk)[0])
    return jws.claims


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
async def test_success(stage: Stage, mode: str) -> None:
    """`response` alone; code, state and iss inside, for this client, for minutes; the code works."""
    told = await answer(stage, response_mode=mode)
    assert set(told) == {"response"}
    inside = await opened(stage, told["response"])
    assert set(inside) == {"iss", "aud", "exp", "code", "state"}
    assert (inside["iss"], inside["aud"], inside["state"]) == (stage.issuer, stage.client_id, "s-1")
    assert stage.now < inside["exp"] <= stage.now + 600
    assert (await stage.token(inside["code"])).status_code == 200


async def test_the_citizen_says_no(stage: Stage) -> None:
    """An error is signed too, and nothing of it stands outside."""
    told = await answer(stage, allowed=False, response_mode="jwt", state="s" * 1000)
    assert set(told) == {"response"}
    inside = await opened(stage, told["response"])
    assert (inside["error"], inside["state"], inside["iss"]) == ("access_denied", "s" * 1000, stage.issuer)
    assert set(inside) <= {"iss", "aud", "exp", "error", "error_description", "state"}


async def test_the_query_of_the_redirect_uri_stays_outside(stage: Stage) -> None:
    """RFC 6749 3.1.2: what belongs to the address is kept and is not signed as ours."""
    await second_client(stage)
    told = await answer(stage, redirect_uri=DUMMY, response_mode="jwt")
    assert set(told) == {"response", "dummy1", "dummy2"}
    assert set(await opened(stage, told["response"])) == {"iss", "aud", "exp", "code", "state"}


async def test_signed_request_and_signed_response(stage: Stage) -> None:
    """The mode is taken from the request object, not from beside it."""
    for inside, outside, names in (("jwt", "query", {"response"}), (None, "jwt", {"code", "state", "iss"})):
        pushed = await push(stage, signed(stage, response_mode=inside), response_mode=outside)
        visited = await stage.visit(pushed.json()["request_uri"])
        interaction = visited.headers["location"].rpartition("/")[2]
        await stage.settle(interaction)
        location = (await stage.resume(interaction)).headers["location"]
        assert {pair.partition("=")[0] for pair in location.partition("?")[2].split("&")} == names


async def test_without_state(stage: Stage) -> None:
    """No state in, none out."""
    inside = await opened(stage, (await answer(stage, response_mode="jwt", state=None))["response"])
    assert "state" not in inside


async def test_plain_answers_stay_plain(stage: Stage) -> None:
    """Who does not ask for a JWT gets none; `query` is the default by name."""
    assert set(await answer(stage, response_mode="query")) == {"code", "state", "iss"}
    assert set(await answer(stage)) == {"code", "state", "iss"}


@pytest.mark.parametrize(
    "mode", ["fragment", "fragment.jwt", "form_post", "form_post.jwt", "JWT", "jwt ", "none"]
)
async def test_other_modes_are_refused(stage: Stage, mode: str) -> None:
    """Only what the metadata offers, from the form and from a request object."""
    await refused(stage, stage.push(response_mode=mode), 400, "invalid_request", "invalid_request")
    sent = push(stage, signed(stage, response_mode=mode))
    await refused(stage, sent, 400, "invalid_request", "invalid_request")


async def test_a_response_is_no_access_token(stage: Stage) -> None:
    """RFC 8725 3.11: signed by the same key, it opens no door."""
    told = await answer(stage, response_mode="jwt")
    assert (await stage.call(told["response"])).status_code == 401
    introspected = await stage.post("/introspect", None, token=told["response"])
    assert introspected.json() == {"active": False}


ALGS = ["ES256", "PS256", "EdDSA", "Ed25519"]


async def test_the_metadata_offers_it(stage: Stage) -> None:
    """Response modes and the algorithm of responses, requests and introspection."""
    told = (await stage.http.get("/.well-known/oauth-authorization-server")).json()
    assert told["response_modes_supported"] == ["query", "jwt", "query.jwt"]
    assert told["authorization_signing_alg_values_supported"] == ALGS
    assert told["introspection_signing_alg_values_supported"] == ALGS
    assert told["request_object_signing_alg_values_supported"] == ALGS
    assert told["request_parameter_supported"] is True
    assert told["request_uri_parameter_supported"] is False
    assert told["require_signed_request_object"] is False
