"""The messages of a company at the OAuth doors, with every field in reach of a test that wants one wrong."""

from __future__ import annotations

import json
import secrets
from typing import Any

import httpx
import jwt

from gateway.demo.company import Company, _public, _thumbprint


def form(company: Company, **more: str) -> dict[str, str]:
    """A pushed request of `company`, its fields replaced by `more`."""
    fields = {
        "client_id": company.client_id,
        "response_type": "code",
        "redirect_uri": company.redirect_uri,
        "state": "s",
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
        "authorization_details": json.dumps([]),
    }
    return {**fields, **company._assertion(), **more}


async def push(company: Company, *, proof: str | None = None, **more: str) -> httpx.Response:
    """Send it, with a good proof unless another is given."""
    url = f"{company.issuer}/par"
    proof = company._proof("POST", url) if proof is None else proof
    return await company.http.post(url, data=form(company, **more), headers={"DPoP": proof})


def assertion(company: Company, key: Any = None, **claims: Any) -> str:
    """A client assertion with some claims replaced, signed with another key if one is given."""
    now = int(company._now())
    standard = {
        "iss": company.client_id,
        "sub": company.client_id,
        "aud": company.issuer,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(12),
    }
    kid = _thumbprint(_public(company.keys.signing))
    return jwt.encode(
        {**standard, **claims}, key or company.keys.signing, algorithm="ES256", headers={"kid": kid}
    )


def proof(company: Company, **claims: Any) -> str:
    """A proof for a pushed request with some claims replaced."""
    url = f"{company.issuer}/par"
    standard = {"jti": secrets.token_urlsafe(12), "htm": "POST", "htu": url, "iat": int(company._now())}
    headers = {"typ": "dpop+jwt", "jwk": _public(company.keys.proof)}
    return jwt.encode({**standard, **claims}, company.keys.proof, algorithm="ES256", headers=headers)


async def token(company: Company, dpop: str | None = None, /, **fields: str) -> httpx.Response:
    """A token request; `dpop` replaces the proof, empty sends none."""
    url = f"{company.issuer}/token"
    dpop = company._proof("POST", url) if dpop is None else dpop
    data = {"client_id": company.client_id, **company._assertion(), **fields}
    return await company.http.post(url, data=data, headers={"DPoP": dpop} if dpop else {})


def code_form(company: Company, answer: dict[str, str]) -> dict[str, str]:
    """The fields that exchange the code of `answer`."""
    return {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": company.redirect_uri,
        "code_verifier": company._verifier,
    }
