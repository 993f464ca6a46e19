"""RFC 9101 at PAR (RFC 9126 3, FAPI 2.0 Message Signing 5.3.1): beyond what the official modules look at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.oauth.jws import import_jwk
from tests.conformance.official import refusal
from tests.conformance.refused import refused
from tests.oauth_keys import Key, ed25519, es256, rs
from tests.oauth_stage import Stage, asked_details, redirected
from tests.request_objects import claims, push, signed

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One store is enough: an object is read before anything is stored; the modules run on both."""

HOUR = 3600


async def _answer(stage: Stage, token: str, query: dict[str, str] | None = None, **form: Any) -> Any:
    """Push `token`, visit with `query`, let the citizen agree; what comes back to the client."""
    pushed = await push(stage, token, **form)
    assert pushed.status_code == 201, pushed.text
    visited = await stage.visit(pushed.json()["request_uri"], **(query or {}))
    interaction = visited.headers["location"].rpartition("/")[2]
    stage.consent = await stage.settle(interaction)
    return redirected(await stage.resume(interaction))


@pytest.mark.parametrize("key", [es256(), rs(), ed25519(), ed25519("Ed25519")], ids=lambda key: key.alg)
async def test_every_allowed_algorithm_works(stage: Stage, key: Key) -> None:
    """FAPI 2.0 5.4.1: PS256, ES256, EdDSA and its newer name."""
    stage.client_id, stage.key = "another-company", key
    await stage.register()
    told = await _answer(stage, signed(stage))
    assert (await stage.token(told["code"])).status_code == 200


@pytest.mark.parametrize(
    "typ", ["oauth-authz-req+jwt", "JWT", "jwt", None, "application/oauth-authz-req+jwt"]
)
async def test_usual_types(stage: Stage, typ: str | None) -> None:
    """RFC 9101 10.8: the explicit type, its long form, the general one, or none."""
    assert (await push(stage, signed(stage, header={"typ": typ}))).status_code == 201


@pytest.mark.parametrize("header", [{"kid": None}, {"kid": "k0"}])
async def test_with_and_without_kid(stage: Stage, header: dict[str, Any]) -> None:
    """A registered key is found by its name, or tried."""
    assert (await push(stage, signed(stage, header=header))).status_code == 201


async def test_what_stands_beside_the_object_is_not_used(stage: Stage) -> None:
    """RFC 9126 3: neither form nor query add to what was signed; differing values are tolerated."""
    other = {"state": "outside", "nonce": "outside", "redirect_uri": "https://evil.example/", "scope": "x"}
    token = signed(stage, state="inside", nonce="inside")
    told = await _answer(stage, token, {"state": "query", "nonce": "query"}, **other)
    assert told["state"] == "inside"
    assert (await stage.token(told["code"])).status_code == 200
    assert "state" not in await _answer(stage, signed(stage, state=None), state="outside")


@pytest.mark.parametrize("name", ["redirect_uri", "code_challenge", "response_type", "authorization_details"])
async def test_what_the_object_lacks_is_missing(stage: Stage, name: str) -> None:
    """A parameter beside the object does not help one that is not inside."""
    beside = claims(stage)[name]
    text = beside if isinstance(beside, str) else json.dumps(beside)
    response = await push(stage, signed(stage, **{name: None}), **{name: text})
    assert response.status_code == 400


async def test_dpop_jkt_comes_from_the_object(stage: Stage) -> None:
    """RFC 9449 10: the key named inside binds the code; one beside it does not."""
    jkt = import_jwk(stage.dpop.jwk)[1]
    told = await _answer(stage, signed(stage, dpop_jkt=jkt), dpop_jkt="A" * 43)
    other = stage.proof("POST", "/token", es256())
    await refused(stage, stage.token(told["code"], other), 400, "invalid_grant", "proof_key_mismatch")
    assert (await stage.token(told["code"])).status_code == 200
    proof = stage.proof("POST", "/par")
    sent = push(stage, signed(stage, dpop_jkt="A" * 43), proof)
    await refused(stage, sent, 400, "invalid_dpop_proof", "dpop_invalid")


async def test_client_id_beside_the_object_may_be_missing(stage: Stage) -> None:
    """The assertion says who asks."""
    assert (await push(stage, signed(stage), client_id=None)).status_code == 201


async def test_large_details_fit(stage: Stage) -> None:
    """An object may be larger than an assertion: everything a form could carry."""
    response = await push(stage, signed(stage, whatever="x" * 40_000))
    assert response.status_code == 201, response.text


@pytest.mark.parametrize(
    ("members", "check"),
    [
        ({"iss": None}, "request.iss"),
        ({"iss": "second-company"}, "request.iss"),
        ({"client_id": None}, "request.client_id"),
        ({"client_id": "second-company"}, "request.client_id"),
        ({"sub": "deundeun-budget"}, "request.sub"),
        ({"aud": None}, "request.aud"),
        ({"aud": []}, "request.aud"),
        ({"aud": ["https://other.example"]}, "request.aud"),
        ({"aud": {"a": 1}}, "request.aud"),
        ({"nbf": "now"}, "request.nbf"),
        ({"nbf": True}, "request.nbf"),
        ({"nbf": 90}, "request.nbf"),
        ({"nbf": -HOUR - 1}, "request.nbf"),
        ({"exp": "later"}, "request.exp"),
        ({"exp": 0}, "request.exp"),
        ({"exp": HOUR + 1}, "request.exp"),
        ({"exp": 1e300}, "request.exp"),
        ({"iat": 90}, "request.iat"),
        ({"request": "e30.e30."}, "request.nested"),
        ({"request_uri": ""}, "request.nested"),
        ({"state": 7.5}, "request.member"),
        ({"state": ["s"]}, "request.member"),
        ({"nonce": "\x00"}, "request.member"),
        ({"redirect_uri": {"a": "b"}}, "request.member"),
        ({"authorization_details": "[]"}, "request.member"),
        ({"authorization_details": 1}, "request.member"),
        ({"max_age": "9"}, "request.member"),
        ({"max_age": False}, "request.member"),
        ({"claims": "{}"}, "request.member"),
    ],
)
async def test_bad_members_are_named(stage: Stage, members: dict[str, Any], check: str) -> None:
    """Each is invalid_request_object, says which check failed and changes nothing; times count from now."""
    whole = {name: stage.now + value for name, value in members.items() if type(value) is int}
    sent = push(stage, signed(stage, **{**members, **whole}))
    response = await refused(stage, sent, 400, "invalid_request_object", "request_object_invalid")
    assert response.json()["params"]["check"] == check


@pytest.mark.parametrize(
    ("header", "check"),
    [
        ({"alg": "HS256"}, "request.alg"),
        ({"alg": "PS256"}, "request.signature"),
        ({"alg": None}, "request.alg"),
        ({"typ": "at+jwt"}, "request.typ"),
        ({"typ": "dpop+jwt"}, "request.typ"),
        ({"typ": "client-authentication+jwt"}, "request.typ"),
        ({"kid": "k9"}, "request.signature"),
        ({"kid": ["k0"]}, "request.signature"),
        ({"crit": ["x"], "x": 1}, "request.form"),
    ],
)
async def test_bad_headers_are_named(stage: Stage, header: dict[str, Any], check: str) -> None:
    """Each is invalid_request_object."""
    if header.get("alg", "") is None:
        token = stage.key.jws({"alg": None, "kid": "k0"}, claims(stage))
    else:
        token = signed(stage, header=header)
    sent = push(stage, token)
    response = await refused(stage, sent, 400, "invalid_request_object", "request_object_invalid")
    assert response.json()["params"]["check"] == check


@pytest.mark.parametrize("token", ["guess", "a.b", "e30.e30.", "..", "a.b.c.d.e", "YQ.YQ.YQ", "é"])
async def test_no_object_at_all(stage: Stage, token: str) -> None:
    """What is no signed JWT, encrypted ones included."""
    refusal(await push(stage, token), {"invalid_request_object"})


async def test_an_object_too_long(stage: Stage) -> None:
    """More than its limit, though the form would still hold it."""
    refusal(await push(stage, signed(stage, whatever="x" * 62_000)), {"invalid_request_object"})


async def test_details_nested_without_end(stage: Stage) -> None:
    """Depth that cannot be written down again is refused, never a 500."""
    deep: list[Any] = []
    for _ in range(400):
        deep = [deep]
    refusal(await push(stage, signed(stage, authorization_details=deep)), {"invalid_request_object"})


async def test_an_object_is_no_assertion_and_no_proof(stage: Stage) -> None:
    """RFC 8725 3.11: one kind of JWT does not pass for another, in either direction."""
    token = signed(stage)
    sent = stage.push(client_assertion=token)
    await refused(stage, sent, 401, "invalid_client", "client_assertion_invalid")
    refusal(await push(stage, stage.assertion()), {"invalid_request_object"})
    refusal(await push(stage, stage.proof("POST", "/par", stage.key)), {"invalid_request_object"})


async def test_request_uri_beside_an_object(stage: Stage) -> None:
    """RFC 9126 2.1: it must not be pushed, object or not."""
    sent = push(stage, signed(stage), request_uri="urn:ietf:params:oauth:request_uri:x")
    await refused(stage, sent, 400, "invalid_request", "invalid_request")


async def test_an_object_is_not_taken_at_the_authorization_endpoint(stage: Stage) -> None:
    """FAPI 2.0 5.3.2.2-2: only what was pushed begins anything, signed or not."""
    query = {"client_id": stage.client_id, "request": signed(stage)}
    response = await stage.http.get("/authorize", params=query)
    assert (response.status_code, response.json()["code"]) == (400, "authorize_needs_par")


async def test_details_inside_are_judged_like_those_of_a_form(stage: Stage) -> None:
    """What is no list, or what the catalogue does not allow, is invalid_authorization_details."""
    unknown = asked_details(stage.today, dataset="finance.no-such-thing")
    several: tuple[Any, ...] = ({}, [], [1], unknown)
    for details in several:
        response = await push(stage, signed(stage, authorization_details=details))
        refusal(response, {"invalid_authorization_details"})
