"""Requests that are well-formed but for the one thing their name says; `control` ones are fine."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx

from tests.node.peer import SECOND, Peer
from tests.oauth_company import REDIRECT
from tests.oauth_keys import b64, es256
from tests.oauth_stage import Stage

Party = Stage | Peer
Send = Callable[[Party], Awaitable[httpx.Response]]
Forms = dict[str, dict[str, Any]]

CHALLENGE = b64(hashlib.sha256(b"v" * 50).digest())
HOUR = 3600
FORM = "application/x-www-form-urlencoded"

PUSHED: Forms = {
    "control": {},
    "control with an unknown parameter": {"whatever": "x"},
    "client_id missing": {"client_id": None},
    "response_type missing": {"response_type": None},
    "response_type twice": {"response_type": ["code", "code"]},
    "response_type token": {"response_type": "token"},
    "response_type code id_token": {"response_type": "code id_token"},
    "response_type none": {"response_type": "none"},
    "redirect_uri missing": {"redirect_uri": None},
    "redirect_uri twice": {"redirect_uri": [REDIRECT, REDIRECT]},
    "redirect_uri unregistered": {"redirect_uri": "https://deundeun.example/other"},
    "redirect_uri with a fragment": {"redirect_uri": REDIRECT + "#x"},
    "redirect_uri no address": {"redirect_uri": "nowhere"},
    "code_challenge missing": {"code_challenge": None},
    "code_challenge and method missing": {"code_challenge": None, "code_challenge_method": None},
    "code_challenge twice": {"code_challenge": [CHALLENGE, CHALLENGE]},
    "code_challenge too short": {"code_challenge": "short"},
    "code_challenge with other characters": {"code_challenge": "!" * 43},
    "code_challenge_method missing": {"code_challenge_method": None},
    "code_challenge_method plain": {"code_challenge_method": "plain"},
    "code_challenge_method unknown": {"code_challenge_method": "S512"},
    "authorization_details missing": {"authorization_details": None},
    "authorization_details no JSON": {"authorization_details": "{"},
    "authorization_details an object": {"authorization_details": "{}"},
    "authorization_details empty": {"authorization_details": "[]"},
    "authorization_details of numbers": {"authorization_details": "[1]"},
    "authorization_details without type": {"authorization_details": '[{"a":1}]'},
    "authorization_details of unknown type": {"authorization_details": '[{"type":"other"}]'},
    "authorization_details twice": {"authorization_details": ["[]", "[]"]},
    "scope unknown": {"scope": "everything"},
    "state twice": {"state": ["a", "b"]},
    "nonce twice": {"nonce": ["a", "b"]},
    "request_uri pushed": {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
    "request object": {"request": "e30.e30."},
    "response_mode fragment": {"response_mode": "fragment"},
    "response_mode unknown": {"response_mode": "pigeon"},
    "dpop_jkt malformed": {"dpop_jkt": "short"},
    "client_id of another client": {"client_id": SECOND},
    "client_id unknown": {"client_id": "nobody"},
    "client_id twice": {"client_id": ["deundeun-budget", "deundeun-budget"]},
    "client_secret as well": {"client_secret": "guess"},
    "client_assertion missing": {"client_assertion": None},
    "client_assertion_type missing": {"client_assertion_type": None},
    "client_assertion_type unknown": {"client_assertion_type": "urn:saml"},
    "client_assertion and type missing": {"client_assertion": None, "client_assertion_type": None},
    "client_assertion no JWT": {"client_assertion": "guess"},
    "client_assertion no JSON": {"client_assertion": "YQ.YQ.YQ"},
}

ASSERTED: Forms = {
    "control without typ, nbf and iat": {"iat": None},
    "aud an array": {"aud": ["ISSUER"]},
    "aud the endpoint": {"aud": "ISSUER/par"},
    "aud the token endpoint": {"aud": "ISSUER/token"},
    "aud somebody else": {"aud": "https://other.example"},
    "aud missing": {"aud": None},
    "iss missing": {"iss": None},
    "iss another": {"iss": SECOND},
    "sub missing": {"sub": None},
    "sub another client": {"sub": SECOND},
    "exp missing": {"exp": None},
    "exp past": {"exp": -300},
    "exp a word": {"exp": "tomorrow"},
    "exp a day ahead": {"exp": 24 * HOUR},
    "nbf far ahead": {"nbf": 90},
    "nbf 8 seconds ahead (control)": {"nbf": 8, "iat": 8},
    "iat far ahead": {"iat": 90},
    "iat a word": {"iat": "now"},
    "jti missing": {"jti": None},
    "jti a number": {"jti": 7.5},
}

HEADED: Forms = {
    "alg none": {"alg": "none"},
    "alg HS256": {"alg": "HS256"},
    "alg missing": {"alg": None},
    "alg of another kind of key": {"alg": "PS256"},
    "kid unknown": {"kid": "k9"},
    "critical extension": {"kid": "k0", "crit": ["x"], "x": 1},
    "typ of an access token": {"kid": "k0", "typ": "at+jwt"},
}

PROVED: Forms = {
    "control with query and fragment in htu": {"htu": "ISSUER/token?a=1#b"},
    "control with scheme and host in capitals": {"htu": "HTTPS:REST/token"},
    "control with unknown claims": {"extra": [1]},
    "htm missing": {"htm": None},
    "htm GET": {"htm": "GET"},
    "htm in lower case": {"htm": "post"},
    "htu missing": {"htu": None},
    "htu of another endpoint": {"htu": "ISSUER/par"},
    "htu a number": {"htu": 1.5},
    "htu no address": {"htu": "nowhere"},
    "jti missing": {"jti": None},
    "jti empty": {"jti": ""},
    "iat missing": {"iat": None},
    "iat a word": {"iat": "now"},
    "iat an hour ago": {"iat": -HOUR},
    "iat an hour ahead": {"iat": HOUR},
    "exp past": {"exp": -300},
    "nbf far ahead": {"nbf": 300},
    "nonce we never gave": {"nonce": "guess"},
}

PROOF_HEADED: Forms = {
    "typ missing": {"typ": None},
    "typ JWT": {"typ": "JWT"},
    "alg none": {"alg": "none"},
    "alg missing": {"alg": None},
    "jwk missing": {"jwk": None},
    "jwk a word": {"jwk": "key"},
    "jwk private": {"jwk": {**es256().jwk, "d": b64(b"1" * 32)}},
    "jwk symmetric": {"jwk": {"kty": "oct", "k": "AAAA"}},
    "jwk of another key": {"jwk": es256().jwk},
    "critical extension": {"crit": ["x"], "x": 1},
}

EXCHANGED: Forms = {
    "control": {},
    "grant_type missing": {"grant_type": None},
    "grant_type twice": {"grant_type": ["authorization_code", "authorization_code"]},
    "grant_type password": {"grant_type": "password"},
    "code missing": {"code": None},
    "code unknown": {"code": "guess"},
    "code twice": {"code": ["a", "b"]},
    "redirect_uri missing": {"redirect_uri": None},
    "redirect_uri another": {"redirect_uri": "https://deundeun.example/other"},
    "redirect_uri twice": {"redirect_uri": [REDIRECT, REDIRECT]},
    "code_verifier missing": {"code_verifier": None},
    "code_verifier another": {"code_verifier": "w" * 50},
    "code_verifier too short": {"code_verifier": "v"},
    "code_verifier twice": {"code_verifier": ["v" * 50, "v" * 50]},
    "client_id of another client": {"client_id": SECOND},
    "client_secret as well": {"client_secret": "guess"},
    "client_assertion missing": {"client_assertion": None, "client_assertion_type": None},
}


def cases() -> dict[str, Send]:
    """Every request by its name."""
    made: dict[str, Send] = {}
    for title, build, table in (
        ("PAR", _push, PUSHED),
        ("code", _exchange, EXCHANGED),
        ("PAR assertion", _push_asserted, ASSERTED),
        ("PAR assertion", _push_headed, HEADED),
        ("token assertion", _token_asserted, ASSERTED),
        ("proof", _proved, PROVED),
        ("proof", _proof_headed, PROOF_HEADED),
    ):
        for name, members in table.items():
            made[f"{title}: {name}"] = partial(build, members)
    return made | SINGLE


async def _push(form: dict[str, Any], party: Party) -> httpx.Response:
    return await party.push(**form)


async def _exchange(form: dict[str, Any], party: Party) -> httpx.Response:
    return await party.token(await party.code(), **form)


async def _push_asserted(claims: dict[str, Any], party: Party) -> httpx.Response:
    return await party.push(client_assertion=party.assertion(**_bent(party, claims)))


async def _push_headed(header: dict[str, Any], party: Party) -> httpx.Response:
    return await party.push(client_assertion=party.assertion(header=header))


async def _token_asserted(claims: dict[str, Any], party: Party) -> httpx.Response:
    return await _company(party, client_assertion=party.assertion(**_bent(party, claims)))


async def _proved(claims: dict[str, Any], party: Party) -> httpx.Response:
    return await _company(party, party.proof("POST", "/token", **_bent(party, claims)))


async def _proof_headed(header: dict[str, Any], party: Party) -> httpx.Response:
    return await _company(party, party.proof("POST", "/token", header=header))


async def _company(party: Party, proof: str | None = "", **form: Any) -> httpx.Response:
    return await party.post("/token", proof, **{"grant_type": "client_credentials", **form})


def _bent(party: Party, claims: dict[str, Any]) -> dict[str, Any]:
    """Whole numbers are seconds from now; ISSUER is the issuer, REST what follows its scheme, in capitals."""
    bent = dict(claims)
    for name, value in claims.items():
        if isinstance(value, int):
            bent[name] = party.now + value
        elif isinstance(value, list) and name == "aud":
            bent[name] = [party.issuer]
        elif isinstance(value, str):
            bent[name] = value.replace("ISSUER", party.issuer).replace("REST", party.issuer[6:].upper())
    return bent


async def _replayed(party: Party) -> httpx.Response:
    code = await party.code()
    assert (await party.token(code)).status_code == 200
    return await party.token(code)


async def _bound_elsewhere(party: Party) -> httpx.Response:
    code = await party.code(proof=party.proof("POST", "/par"))
    return await party.token(code, party.proof("POST", "/token", es256()))


async def _mismatch_at_par(party: Party) -> httpx.Response:
    return await party.push(party.proof("POST", "/par"), dpop_jkt="A" * 43)


async def _refreshed(party: Party, proof: str | None = "", **form: Any) -> httpx.Response:
    token = (await party.token(await party.code())).json()["refresh_token"]
    return await party.refresh(token, proof, **form)


async def _refresh_with_another_key(party: Party) -> httpx.Response:
    return await _refreshed(party, party.proof("POST", "/token", es256()))


async def _assertion_twice(party: Party) -> httpx.Response:
    used = party.assertion()
    assert (await party.push(client_assertion=used)).status_code == 201
    return await party.push(client_assertion=used)


async def _proof_twice(party: Party) -> httpx.Response:
    used = party.proof("POST", "/token")
    assert (await _company(party, used)).status_code == 200
    return await _company(party, used)


async def _two_proofs(party: Party) -> httpx.Response:
    proofs = [("DPoP", party.proof("POST", "/token")) for _ in range(2)]
    form = {"grant_type": "client_credentials", **_authenticated(party)}
    return await party.http.post("/token", data=form, headers=proofs)


async def _foreign_signature(party: Party) -> httpx.Response:
    return await party.push(client_assertion=party.assertion(es256()))


async def _basic_as_well(party: Party) -> httpx.Response:
    basic = b64encode(b"deundeun-budget:guess").decode()
    form = {"grant_type": "client_credentials", **_authenticated(party)}
    return await party.http.post("/token", data=form, headers={"Authorization": f"Basic {basic}"})


async def _json_body(party: Party) -> httpx.Response:
    return await party.http.post("/par", json={**_authenticated(party), "response_type": "code"})


def _authenticated(party: Party) -> dict[str, str]:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return {"client_assertion_type": kind, "client_assertion": party.assertion()}


SINGLE: dict[str, Send] = {
    "PAR: empty body": lambda party: party.http.post("/par", content=b"", headers={"content-type": FORM}),
    "PAR: JSON body": _json_body,
    "PAR: GET": lambda party: party.http.get("/par"),
    "PAR: PUT": lambda party: party.http.put("/par"),
    "PAR: dpop_jkt of another key than the proof": _mismatch_at_par,
    "PAR: proof no JWT": lambda party: party.push("guess"),
    "PAR assertion: signed by a foreign key": _foreign_signature,
    "PAR assertion: used twice": _assertion_twice,
    "token assertion: Basic as well": _basic_as_well,
    "code: used twice": _replayed,
    "code: bound to another key": _bound_elsewhere,
    "code: proof missing": lambda party: _with_proof(party, None),
    "proof: missing": lambda party: _company(party, None),
    "proof: no JWT": lambda party: _company(party, "guess"),
    "proof: used twice": _proof_twice,
    "proof: two headers": _two_proofs,
    "refresh: control": _refreshed,
    "refresh: proof missing": lambda party: _refreshed(party, None),
    "refresh: another key": _refresh_with_another_key,
    "refresh: token missing": lambda party: _refreshed(party, refresh_token=None),
    "refresh: token unknown": lambda party: party.refresh("guess"),
    "refresh: scope widened": lambda party: _refreshed(party, scope="company"),
    "company: control": lambda party: _company(party, scope="company"),
    "company: scope unknown": lambda party: _company(party, scope="everything"),
    "company: scope twice": lambda party: _company(party, scope=["company", "company"]),
    "introspect: token missing": lambda party: party.post("/introspect", None),
    "introspect: token unknown": lambda party: party.post("/introspect", None, token="guess"),
    "introspect: no client": lambda party: party.http.post("/introspect", data={"token": "guess"}),
    "revoke: token missing": lambda party: party.post("/revoke", None),
    "revoke: token unknown": lambda party: party.post("/revoke", None, token="guess"),
    "revoke: no client": lambda party: party.http.post("/revoke", data={"token": "guess"}),
}


async def _with_proof(party: Party, proof: str | None) -> httpx.Response:
    return await party.token(await party.code(), proof)
