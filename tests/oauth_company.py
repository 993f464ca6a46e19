"""A client company for tests: every field of every message it sends is in reach."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from consent.calendar import KST
from tests.oauth_keys import Key, b64

REDIRECT = "https://deundeun.example/callback"


class Clock:
    """A clock tests move."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        """The moment it is set to."""
        return self.at

    def forward(self, seconds: int) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)


def asked_details(today: date, *, days: int = 90, **item: Any) -> list[dict[str, Any]]:
    """A request for one item of one holder, its members replaced by `item`."""
    return [
        {
            "type": "mydata_transfer",
            "holder": "hanbit-bank",
            "purpose": "household-finance",
            "start": today.isoformat(),
            "end": (today + timedelta(days=days)).isoformat(),
            "retention": "P90D",
            "items": [
                {
                    "dataset": "finance.deposit-transactions",
                    "fields": ["trans_dtime", "trans_amt"],
                    "required": True,
                    "frequency": "once",
                    "history_from": (today - timedelta(days=30)).isoformat(),
                    **item,
                }
            ],
        }
    ]


class Company:
    """The messages of one client to one authorization server, well-formed unless told otherwise."""

    issuer: str
    clock: Callable[[], datetime]
    client_id: str
    key: Key
    dpop: Key
    verifier: str
    http: httpx.AsyncClient

    @property
    def today(self) -> date:
        """The day it is in Korea."""
        return self.clock().astimezone(KST).date()

    @property
    def now(self) -> int:
        """The present second."""
        return int(self.clock().timestamp())

    def origin_for(self, path: str) -> str:
        """Where this client's own requests for `path` go, as a proof names it."""
        return self.issuer

    def wire(self, path: str) -> httpx.AsyncClient:
        """What this client's own requests for `path` go through; the browser's go through `http`."""
        return self.http

    def assertion(self, key: Key | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A client assertion; any claim may be replaced, None drops it."""
        standard = {"iss": self.client_id, "sub": self.client_id, "aud": self.issuer, "iat": self.now}
        standard |= {"exp": self.now + 60, "jti": secrets.token_urlsafe(12)}
        return (key or self.key).jws(header or {"kid": "k0"}, {**standard, **claims})

    def proof(
        self,
        method: str,
        path: str,
        key: Key | None = None,
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A DPoP proof; any header member or claim may be replaced, None drops it."""
        key = key or self.dpop
        standard = {
            "htm": method,
            "htu": self.origin_for(path) + path,
            "iat": self.now,
            "jti": secrets.token_urlsafe(12),
        }
        return key.jws({"typ": "dpop+jwt", "jwk": key.jwk, **(header or {})}, {**standard, **claims})

    async def post(self, path: str, proof: str | None = "", **form: Any) -> httpx.Response:
        """POST a form with assertion and proof ("" makes one, None sends none; a None field is left out)."""
        fields = {
            "client_id": self.client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion(),
            **form,
        }
        headers = {} if proof is None else {"DPoP": proof or self.proof("POST", path)}
        sent = {name: value for name, value in fields.items() if value is not None}
        return await self.wire(path).post(path, data=sent, headers=headers)

    async def push(self, proof: str | None = None, **form: Any) -> httpx.Response:
        """A pushed authorization request."""
        fields = {
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "state": "s-1",
            "code_challenge": b64(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            "authorization_details": json.dumps(asked_details(self.today)),
        }
        return await self.post("/par", proof, **{**fields, **form})

    async def visit(self, request_uri: str, **query: str) -> httpx.Response:
        """The browser goes to /authorize."""
        asked = {"client_id": self.client_id, "request_uri": request_uri, **query}
        return await self.http.get("/authorize", params={k: v for k, v in asked.items() if v})

    async def token(self, code: str, proof: str | None = "", /, **form: Any) -> httpx.Response:
        """Exchange a code."""
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        return await self.post("/token", proof, **{**fields, "code_verifier": self.verifier, **form})

    async def refresh(self, token: str, proof: str | None = "", **form: Any) -> httpx.Response:
        """Use a refresh token."""
        fields = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.post("/token", proof, **{**fields, **form})

    async def call(
        self, token: str, path: str = "/data", key: Key | None = None, **more: Any
    ) -> httpx.Response:
        """A call with a bound token; `more` replaces claims of the proof."""
        ath = b64(hashlib.sha256(token.encode()).digest())
        proof = self.proof("GET", path, key, **{"ath": ath, **more})
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        return await self.wire(path).get(path, headers=headers)
