"""Calls of userinfo that must give nothing; none carries a token that was ever issued."""

from __future__ import annotations

import httpx

from gateway.oauth.dpop import token_hash
from tests.node.malformed import Party, Send

GUESS = "guess"


async def _with_proof(party: Party, scheme: str, **claims: str) -> httpx.Response:
    proof = party.proof("GET", "/userinfo", **{"ath": token_hash(GUESS), **claims})
    headers = {"Authorization": f"{scheme} {GUESS}", "DPoP": proof}
    return await party.http.get("/userinfo", headers=headers)


async def _headed(party: Party, authorization: str) -> httpx.Response:
    return await party.http.get("/userinfo", headers={"Authorization": authorization})


def userinfo() -> dict[str, Send]:
    """Every case by its name."""
    guess = {"access_token": GUESS}
    cases: dict[str, Send] = {
        "no token": lambda party: party.http.get("/userinfo"),
        "no token, posted": lambda party: party.http.post("/userinfo"),
        "token unknown": lambda party: _with_proof(party, "DPoP"),
        "token unknown, Bearer": lambda party: _headed(party, f"Bearer {GUESS}"),
        "token unknown, Bearer with a proof": lambda party: _with_proof(party, "Bearer"),
        "token unknown, no proof": lambda party: _headed(party, f"DPoP {GUESS}"),
        "token unknown, proof of another token": lambda party: _with_proof(party, "DPoP", ath="x" * 43),
        "token in the query": lambda party: party.http.get("/userinfo", params=guess),
        "token in the body": lambda party: party.http.post("/userinfo", data=guess),
        "Basic": lambda party: _headed(party, "Basic Z3Vlc3M6Z3Vlc3M="),
        "scheme without a token": lambda party: _headed(party, "DPoP"),
        "two tokens in the header": lambda party: _headed(party, f"DPoP {GUESS} {GUESS}"),
        "PUT": lambda party: party.http.put("/userinfo"),
    }
    return {f"userinfo: {name}": send for name, send in cases.items()}
