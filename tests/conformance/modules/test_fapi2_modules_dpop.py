"""The official modules about proofs of possession, and the blocks of dpop-negative-tests one by one."""

from __future__ import annotations

from typing import Any

import httpx

from gateway.oauth.dpop import token_hash
from gateway.oauth.jws import import_jwk
from tests.conformance.official import granted, official, official_each, refusal
from tests.conformance.varied import VariedStage
from tests.oauth_keys import Key, es256, rs

BINDING = {"invalid_request", "invalid_grant", "invalid_dpop_proof"}


@official("check-dpop-proof-nbf-exp")
async def test_proof_with_dates(stage: VariedStage) -> None:
    """nbf now and exp in five minutes, at the token endpoint and at the resource."""
    dates: dict[str, Any] = {"nbf": stage.now, "exp": stage.now + 300}
    response = await stage.token(await stage.code(), stage.proof("POST", "/token", **dates))
    assert response.status_code == 200, response.text
    assert (await stage.call(response.json()["access_token"], **dates)).status_code == 200


@official_each(
    "seconds",
    {
        "ensure-dpopproof-with-iat-10seconds-before-succeeds": -10,
        "ensure-dpopproof-with-iat-10seconds-after-succeeds": 10,
    },
)
async def test_proof_from_another_clock(stage: VariedStage, seconds: int) -> None:
    """FAPI 2.0 5.3.2.1-13: ten seconds off are accepted at PAR, at the token endpoint and at the resource."""
    iat = stage.now + seconds
    code = await stage.code(proof=stage.proof("POST", "/par", iat=iat))
    response = await stage.token(code, stage.proof("POST", "/token", iat=iat))
    assert response.status_code == 200, response.text
    assert (await stage.call(response.json()["access_token"], iat=iat)).status_code == 200


@official("ensure-mismatched-dpop-jkt-fails")
async def test_mismatch_at_par(stage: VariedStage) -> None:
    """RFC 9449 10.1: dpop_jkt of another key than the proof's is refused at PAR."""
    response = await stage.push(proof=stage.proof("POST", "/par"), dpop_jkt=_jkt(es256()))
    refusal(response, {"invalid_request", "invalid_dpop_proof"})


@official("ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt")
async def test_mismatch_with_the_proof_at_par(stage: VariedStage) -> None:
    """A code bound by a proof at PAR, another key at the token endpoint."""
    code = await stage.code(proof=stage.proof("POST", "/par", es256()))
    refusal(await stage.token(code), BINDING)


@official("ensure-token-endpoint-fails-with-mismatched-dpop-jkt")
async def test_mismatch_with_dpop_jkt(stage: VariedStage) -> None:
    """A code bound by dpop_jkt, another key at the token endpoint."""
    code = await stage.code(dpop_jkt=_jkt(es256()))
    refusal(await stage.token(code), BINDING)


@official("ensure-dpopproof-at-par-endpoint-binding-success")
async def test_bound_by_a_proof(stage: VariedStage) -> None:
    """A proof at PAR, the same key afterwards."""
    await granted(stage, proof=stage.proof("POST", "/par"))


@official("ensure-dpop-auth-code-binding-success")
async def test_bound_by_dpop_jkt(stage: VariedStage) -> None:
    """dpop_jkt at PAR, that key afterwards; and dpop_jkt together with its proof."""
    await granted(stage, dpop_jkt=_jkt(stage.dpop))
    await granted(stage, dpop_jkt=_jkt(stage.dpop), proof=stage.proof("POST", "/par"))


HOUR = 3600
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "typ is missing": ({"typ": None}, {}),
    "alg is missing": ({"alg": None}, {}),
    "jwk is missing": ({"jwk": None}, {}),
    "jti is missing": ({}, {"jti": None}),
    "htm is missing": ({}, {"htm": None}),
    "htu is missing": ({}, {"htu": None}),
    "iat is missing": ({}, {"iat": None}),
    "ath is missing": ({}, {"ath": None}),
    "typ is another": ({"typ": "JWT"}, {}),
    "alg is none": ({"alg": "none"}, {}),
    "jwk holds a private member": ({"jwk": {**es256().jwk, "d": "AAAA"}}, {}),
    "htm is PUT": ({}, {"htm": "PUT"}),
    "htu is another address": ({}, {"htu": "https://gateway.example/other"}),
    "iat an hour ahead": ({}, {"iat": HOUR}),
    "iat an hour ago": ({}, {"iat": -HOUR}),
    "ath is of another token": ({}, {"ath": token_hash("another")}),
}
ACCEPTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "htu with query and fragment": ({}, {"htu": "https://gateway.example/data?a=1#b"}),
    "unknown members": ({"extra": {"a": 1}}, {"extra": [1]}),
    "scheme and host in capitals": ({}, {"htu": "HTTPS://GATEWAY.EXAMPLE/data"}),
    "the default port named": ({}, {"htu": "https://gateway.example:443/data"}),
}


@official("dpop-negative-tests")
async def test_blocks(outside: VariedStage) -> None:
    """Every block in one sitting with one token, and a good proof works after all of them."""
    stage = outside
    token = (await stage.tokens())["access_token"]
    good = stage.proof("GET", "/data", ath=token_hash(token))
    header, body, signature = good.split(".")
    for name, (head, claims) in REFUSED.items():
        assert _is_challenge(await _call(stage, token, _proof(stage, token, head, claims))), name
    for name, (head, claims) in ACCEPTED.items():
        response = await _call(stage, token, _proof(stage, token, head, claims))
        assert response.status_code == 200, (name, response.text)
    fresh = stage.proof("GET", "/data", ath=token_hash(token))
    response = await stage.http.get("/data?a=1&b=2", headers=_headers(token, fresh, name="DPOP"))
    assert response.status_code == 200, "the call has a query, htu has none; the header is in capitals"
    assert _is_challenge(await _call(stage, token, f"{header}.{body}.{'A' * len(signature)}")), "signature"
    assert _is_challenge(await _call(stage, token, "not.a-jwt")), "not well-formed"
    assert _is_challenge(await _call(stage, token, _proof(stage, token, {}, {}, es256()))), "another key"
    two = [*_headers(token, good), ("DPoP", _proof(stage, token, {}, {}))]
    assert _is_challenge(await stage.http.get("/data", headers=two)), "two headers"
    assert _is_challenge(await stage.http.get("/data", headers=_headers(token, None))), "no proof"
    bearer = {"Authorization": f"Bearer {token}"}
    assert _is_challenge(await stage.http.get("/data", headers=bearer)), "Bearer"
    same = {"jti": "used-twice"}
    assert (await _call(stage, token, _proof(stage, token, {}, same))).status_code == 200
    assert _is_challenge(await _call(stage, token, _proof(stage, token, {}, same))), "jti again"
    assert (await _call(stage, token, good)).status_code == 200, "a good proof still works"


@official("dpop-negative-tests")
async def test_blocks_for_an_rsa_key(outside: VariedStage) -> None:
    """The block that needs an RSA key: RS256 is refused where PS256 of the same key works."""
    outside.dpop = rs()
    token = (await outside.tokens())["access_token"]
    proof = _proof(outside, token, {}, {}, outside.dpop.as_rs256())
    assert _is_challenge(await _call(outside, token, proof))
    assert (await outside.call(token)).status_code == 200


def _jkt(key: Key) -> str:
    return import_jwk(key.jwk)[1]


def _proof(
    stage: VariedStage, token: str, header: dict[str, Any], claims: dict[str, Any], key: Key | None = None
) -> str:
    bent = {"ath": token_hash(token), **claims}
    if isinstance(bent.get("iat"), int):
        bent["iat"] += stage.now
    return stage.proof("GET", "/data", key, header=header, **bent)


def _headers(token: str, proof: str | None, name: str = "DPoP") -> list[tuple[str, str]]:
    return [("Authorization", f"DPoP {token}"), *([(name, proof)] if proof else [])]


async def _call(stage: VariedStage, token: str, proof: str) -> httpx.Response:
    return await stage.http.get("/data", headers=_headers(token, proof))


def _is_challenge(response: httpx.Response) -> bool:
    """401 with a DPoP challenge (RFC 9449 7.1); the module would take 400 as well."""
    return response.status_code == 401 and response.headers["www-authenticate"].startswith("DPoP ")
