"""Request objects that are well-formed but for the one thing their name says; `control` ones are fine."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx

from tests.node.malformed import HOUR, Party, Send
from tests.node.peer import SECOND
from tests.oauth_keys import b64, es256
from tests.request_objects import claims, push, signed

MEMBERS: dict[str, dict[str, Any]] = {
    "control": {},
    "control with aud an array": {"aud": ["https://other.example", "ISSUER"]},
    "control without iat and jti": {"iat": None, "jti": None},
    "control with an unknown member": {"whatever": [1]},
    "nbf 8 seconds ahead (control)": {"nbf": 8, "iat": 8},
    "iss missing": {"iss": None},
    "iss another": {"iss": SECOND},
    "client_id missing": {"client_id": None},
    "client_id of another client": {"client_id": SECOND},
    "sub the client": {"sub": "deundeun-budget"},
    "aud missing": {"aud": None},
    "aud somebody else": {"aud": "https://other.example"},
    "nbf missing": {"nbf": None},
    "nbf far ahead": {"nbf": 90},
    "nbf over an hour ago": {"nbf": -70 * 60},
    "nbf a word": {"nbf": "now"},
    "exp missing": {"exp": None},
    "exp past": {"exp": -300},
    "exp over an hour after nbf": {"exp": 70 * 60},
    "exp a word": {"exp": "tomorrow"},
    "iat an hour ahead": {"iat": HOUR},
    "request_uri inside": {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
    "request inside": {"request": "e30.e30."},
    "redirect_uri missing": {"redirect_uri": None},
    "redirect_uri unregistered": {"redirect_uri": "https://deundeun.example/other"},
    "response_type missing": {"response_type": None},
    "response_type token": {"response_type": "token"},
    "code_challenge missing": {"code_challenge": None},
    "code_challenge_method plain": {"code_challenge_method": "plain"},
    "authorization_details as text": {"authorization_details": "[]"},
    "authorization_details an object": {"authorization_details": {}},
    "state a structure": {"state": {"a": 1}},
}

HEADERS: dict[str, dict[str, Any]] = {
    "alg none": {"alg": "none"},
    "alg HS256": {"alg": "HS256"},
    "alg of another kind of key": {"alg": "PS256"},
    "kid unknown": {"kid": "k9"},
    "typ missing (control)": {"typ": None},
    "typ of an access token": {"typ": "at+jwt"},
    "critical extension": {"crit": ["x"], "x": 1},
}


def objects() -> dict[str, Send]:
    """Every request by its name."""
    made: dict[str, Send] = {f"object: {name}": partial(_members, m) for name, m in MEMBERS.items()}
    made |= {f"object: {name}": partial(_header, head) for name, head in HEADERS.items()}
    return made | SINGLE


async def _members(members: dict[str, Any], party: Party) -> httpx.Response:
    bent = dict(members)
    for name, value in members.items():
        if type(value) is int:
            bent[name] = party.now + value
        elif isinstance(value, list):
            bent[name] = [party.issuer if item == "ISSUER" else item for item in value]
    return await push(party, signed(party, **bent))


async def _header(header: dict[str, Any], party: Party) -> httpx.Response:
    return await push(party, signed(party, header=header))


async def _without_signature(party: Party) -> httpx.Response:
    token = party.key.jws({"alg": "none"}, claims(party))
    return await push(party, token.rpartition(".")[0] + ".")


async def _over_something_else(party: Party) -> httpx.Response:
    return await push(party, f"{signed(party).rpartition('.')[0]}.{b64(party.key.sign(b'else'))}")


async def _beside(party: Party) -> httpx.Response:
    return await push(
        party, signed(party), state="outside", nonce="outside", redirect_uri="https://x.example"
    )


SINGLE: dict[str, Send] = {
    "object: without signature": _without_signature,
    "object: signature over something else": _over_something_else,
    "object: signed by a foreign key": lambda party: push(party, signed(party, es256())),
    "object: other parameters beside it (control)": _beside,
    "object: request_uri beside it": lambda party: push(party, signed(party), request_uri="urn:x"),
    "object: an assertion": lambda party: push(party, party.assertion()),
    "object: no JWT": lambda party: push(party, "guess"),
    "object: five parts": lambda party: push(party, "e30.e30.e30.e30.e30"),
}
