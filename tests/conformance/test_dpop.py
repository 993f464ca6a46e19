"""RFC 9449 and the official module dpop-negative-tests: proofs at the resource server and at /token."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.oauth.dpop import token_hash
from tests.conformance.refused import refused
from tests.oauth_keys import ed25519, es256, rs
from tests.oauth_stage import Stage

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One store is enough here: what depends on the store is in test_token, test_authorization, test_metadata."""

PRIVATE = {**es256().jwk, "d": "AAAA"}


@pytest.mark.parametrize(
    ("header", "claims", "check"),
    [
        pytest.param({"typ": None}, {}, "proof.typ", id="missing-typ"),
        pytest.param({"typ": "jwt"}, {}, "proof.typ", id="bad-typ"),
        pytest.param({"alg": None}, {}, "proof.alg", id="missing-alg"),
        pytest.param({"alg": "none"}, {}, "proof.alg", id="none"),
        pytest.param({"alg": "HS256"}, {}, "proof.alg", id="symmetric"),
        pytest.param({"alg": "RS256"}, {}, "proof.alg", id="RS256"),
        pytest.param({"alg": "PS256"}, {}, "proof.signature", id="other-alg-than-key"),
        pytest.param({"jwk": None}, {}, "proof.form", id="missing-jwk"),
        pytest.param({"jwk": "x"}, {}, "proof.form", id="jwk-no-object"),
        pytest.param({"jwk": PRIVATE}, {}, "proof.form", id="jwk-with-private-key"),
        pytest.param({"jwk": {"kty": "oct", "k": "AAAA"}}, {}, "proof.form", id="jwk-symmetric"),
        pytest.param({"jwk": es256().jwk}, {}, "proof.signature", id="bad-signature"),
        pytest.param({"crit": ["x"]}, {}, "proof.form", id="critical-extension"),
        pytest.param({}, {"jti": None}, "proof.jti", id="missing-jti"),
        pytest.param({}, {"jti": 7}, "proof.jti", id="jti-no-string"),
        pytest.param({}, {"htm": None}, "proof.htm", id="missing-htm"),
        pytest.param({}, {"htm": "POST"}, "proof.htm", id="wrong-htm"),
        pytest.param({}, {"htm": "get"}, "proof.htm", id="htm-in-lower-case"),
        pytest.param({}, {"htu": None}, "proof.htu", id="missing-htu"),
        pytest.param({}, {"htu": "https://other.test/data"}, "proof.htu", id="other-host"),
        pytest.param({}, {"htu": "ISSUER/other"}, "proof.htu", id="other-path"),
        pytest.param({}, {"htu": "ISSUER/DATA"}, "proof.htu", id="path-is-case-sensitive"),
        pytest.param({}, {"htu": "http:LESS/data"}, "proof.htu", id="other-scheme"),
        pytest.param({}, {"htu": "ISSUER/data\t"}, "proof.htu", id="htu-with-control-character"),
        pytest.param({}, {"iat": None}, "proof.iat", id="missing-iat"),
        pytest.param({}, {"iat": -3600}, "proof.iat", id="iat-an-hour-ago"),
        pytest.param({}, {"iat": 3600}, "proof.iat", id="iat-an-hour-ahead"),
        pytest.param({}, {"exp": -1}, "proof.dates", id="check-dpop-proof-nbf-exp-expired"),
        pytest.param({}, {"nbf": 3600}, "proof.dates", id="check-dpop-proof-nbf-exp-not-yet"),
        pytest.param({}, {"ath": None}, "proof.ath", id="missing-ath"),
        pytest.param({}, {"ath": "AAAA"}, "proof.ath", id="wrong-ath"),
    ],
)
async def test_dpop_negative_tests(
    stage: Stage, header: dict[str, Any], claims: dict[str, Any], check: str
) -> None:
    """Each bad proof is 401 invalid_dpop_proof with its check named; a good one still works after it."""
    token = (await stage.tokens())["access_token"]
    response = await refused(stage, _call(stage, token, header, claims), 401, None, "dpop_invalid")
    assert response.json()["params"]["check"] == check
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith('DPoP error="invalid_dpop_proof", algs="ES256 PS256 EdDSA Ed25519"')
    assert (await stage.call(token)).status_code == 200


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        pytest.param({}, {"htu": "ISSUER/data?a=1#b"}, id="htu-query-and-fragment-ignored"),
        pytest.param({}, {"htu": "SHOUTED/data"}, id="htu-scheme-and-host-case-insensitive"),
        pytest.param({}, {"htu": "ISSUER/%64at%61"}, id="htu-percent-encoding-normalised"),
        pytest.param({}, {"iat": -10}, id="ensure-dpopproof-with-iat-10seconds-before-succeeds"),
        pytest.param({}, {"iat": 10}, id="ensure-dpopproof-with-iat-10seconds-after-succeeds"),
        pytest.param({}, {"exp": 60, "nbf": 0}, id="check-dpop-proof-nbf-exp"),
        pytest.param({"extra": 1}, {"extra": {"a": 1}}, id="extra-members-ignored"),
    ],
)
async def test_acceptable_proofs(stage: Stage, header: dict[str, Any], claims: dict[str, Any]) -> None:
    """What the official module wants accepted."""
    token = (await stage.tokens())["access_token"]
    response = await _call(stage, token, header, claims)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("make", [es256, ed25519, lambda: ed25519("Ed25519"), rs])
async def test_every_allowed_key_may_prove(stage: Stage, make: Any) -> None:
    """ES256, EdDSA under both names, PS256."""
    stage.dpop = make()
    token = (await stage.tokens())["access_token"]
    assert (await stage.call(token)).status_code == 200


async def test_two_proofs(stage: Stage) -> None:
    """Two DPoP headers are refused at the resource server and at /token."""
    token = (await stage.tokens())["access_token"]
    headers = [("Authorization", f"DPoP {token}"), ("DPoP", stage.proof("GET", "/data"))]
    sent = stage.http.get("/data", headers=[*headers, ("DPoP", stage.proof("GET", "/data"))])
    response = await refused(stage, sent, 401, None, "dpop_invalid")
    assert response.json()["params"]["check"] == "proof.single"


async def test_replayed_proof(stage: Stage) -> None:
    """The same proof twice: refused, at the resource server and at /token."""
    token = (await stage.tokens())["access_token"]
    claims = {"jti": "the-same"}
    assert (await _call(stage, token, {}, claims)).status_code == 200
    await refused(stage, _call(stage, token, {}, claims), 401, None, "dpop_replayed")
    used = stage.proof("POST", "/token")
    assert (await stage.post("/token", used, grant_type="client_credentials")).status_code == 200
    sent = stage.post("/token", used, grant_type="client_credentials")
    await refused(stage, sent, 400, "invalid_dpop_proof", "dpop_replayed")


async def test_another_key(stage: Stage) -> None:
    """A good proof of a key the token is not bound to."""
    token = (await stage.tokens())["access_token"]
    await refused(stage, stage.call(token, key=es256()), 401, None, "token_invalid")


async def test_no_proof_and_bearer_scheme(stage: Stage) -> None:
    """A bound token without proof, under Bearer, or in the query opens nothing."""
    token = (await stage.tokens())["access_token"]
    get = stage.http.get
    sent = get("/data", headers={"Authorization": f"DPoP {token}"})
    await refused(stage, sent, 401, None, "dpop_missing")
    sent = get("/data", headers={"Authorization": f"Bearer {token}", "DPoP": stage.proof("GET", "/data")})
    await refused(stage, sent, 401, None, "token_invalid")
    sent = get("/data", params={"access_token": token}, headers={"DPoP": stage.proof("GET", "/data")})
    response = await refused(stage, sent, 401, None, "token_missing")
    assert "error=" not in response.headers["www-authenticate"]
    assert "resource_metadata=" in response.headers["www-authenticate"]


@pytest.mark.parametrize("scheme", ["dpop", "DPOP", "DPoP"])
async def test_access_token_type_header_case_sensitivity(stage: Stage, scheme: str) -> None:
    """The scheme is case-insensitive (RFC 9110 11.1)."""
    token = (await stage.tokens())["access_token"]
    response = await _call(stage, token, {}, {}, scheme)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("bend", ["upper", "cut", "none", "signature"])
async def test_forged_access_tokens(stage: Stage, bend: str) -> None:
    """A changed, cut or unsigned token is not one of ours."""
    token = (await stage.tokens())["access_token"]
    head, body, signature = token.split(".")
    forged = {
        "upper": token.upper(),
        "cut": f"{head}.{body}.",
        "none": es256().jws({"alg": "none", "typ": "at+jwt"}, {"client_id": stage.client_id}),
        "signature": f"{head}.{body}.{signature[:-2]}AA",
    }[bend]
    await refused(stage, stage.call(forged), 401, None, "token_invalid")


@pytest.mark.parametrize(
    ("header", "claims", "check"),
    [
        ({"typ": "jwt"}, {}, "proof.typ"),
        ({}, {"htm": "GET"}, "proof.htm"),
        ({}, {"htu": "ISSUER/par"}, "proof.htu"),
        ({}, {"iat": -3600}, "proof.iat"),
        ({"jwk": PRIVATE}, {}, "proof.form"),
    ],
)
async def test_bad_proofs_at_the_token_endpoint(
    stage: Stage, header: dict[str, Any], claims: dict[str, Any], check: str
) -> None:
    """400 invalid_dpop_proof there; the code stays usable."""
    code = await stage.code()
    proof = stage.proof("POST", "/token", header=header, **_bent(stage, claims))
    response = await refused(stage, stage.token(code, proof), 400, "invalid_dpop_proof", "dpop_invalid")
    assert response.json()["params"]["check"] == check
    assert (await stage.token(code)).status_code == 200


async def _call(
    stage: Stage, token: str, header: dict[str, Any], claims: dict[str, Any], scheme: str = "DPoP"
) -> Any:
    bent = {"ath": token_hash(token), **_bent(stage, claims)}
    proof = stage.proof("GET", "/data", header=header, **bent)
    return await stage.http.get("/data", headers={"Authorization": f"{scheme} {token}", "DPoP": proof})


def _bent(stage: Stage, claims: dict[str, Any]) -> dict[str, Any]:
    bent = dict(claims)
    for name in ("iat", "exp", "nbf"):
        if isinstance(bent.get(name), int):
            bent[name] += stage.now
    if isinstance(bent.get("htu"), str):
        shouted = stage.issuer.replace("https://", "HTTPS://").upper()
        less = stage.issuer.removeprefix("https:")
        for word, value in (("ISSUER", stage.issuer), ("SHOUTED", shouted), ("LESS", less)):
            bent["htu"] = bent["htu"].replace(word, value)
    return bent
