"""Signed authorization requests of a test's client, well-formed unless told otherwise."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import httpx

from tests.oauth_company import REDIRECT, Company, asked_details
from tests.oauth_keys import Key, b64

TYP = "oauth-authz-req+jwt"


def claims(company: Company, **members: Any) -> dict[str, Any]:
    """The members of a request object; any may be replaced, None drops it."""
    standard = {
        "iss": company.client_id,
        "aud": company.issuer,
        "nbf": company.now,
        "iat": company.now,
        "exp": company.now + 300,
        "jti": secrets.token_urlsafe(12),
        "client_id": company.client_id,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "state": "s-1",
        "code_challenge": b64(hashlib.sha256(company.verifier.encode()).digest()),
        "code_challenge_method": "S256",
        "authorization_details": asked_details(company.today),
    }
    return {**standard, **members}


def signed(
    company: Company, key: Key | None = None, header: dict[str, Any] | None = None, **members: Any
) -> str:
    """The request object as a compact JWS; header members are replaced by `header`, None drops one."""
    head = {"kid": "k0", "typ": TYP, **(header or {})}
    return (key or company.key).jws(head, claims(company, **members))


async def push(company: Company, token: str, proof: str | None = None, **form: Any) -> httpx.Response:
    """Push `token` as `request`, with nothing beside it but client authentication and `form`."""
    return await company.post("/par", proof, request=token, **form)
