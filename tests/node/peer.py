"""npm oidc-provider as a peer: the same company speaks to it as to us; its citizen agrees to everything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from consent.clock import utc_now
from tests.authority import Authority
from tests.node.script import running
from tests.oauth_company import REDIRECT, Company
from tests.oauth_keys import Key, es256
from tests.oauth_stage import Stage, redirected

SECOND = "second-company"


@dataclass
class Peer(Company):
    """One client at the peer, and its browser."""

    issuer: str
    http: httpx.AsyncClient
    key: Key
    other: Key
    client_id: str
    dpop: Key = field(default_factory=es256)
    verifier: str = "v" * 50

    def clock(self) -> Any:
        """The peer has the machine's clock."""
        return utc_now()

    async def code(self, **form: Any) -> str:
        """A fresh code: push, visit, agree."""
        pushed = await self.push(**form)
        assert pushed.status_code == 201, pushed.text
        response = await self.visit(pushed.json()["request_uri"])
        while not response.headers["location"].startswith(REDIRECT):
            response = await self.http.get(response.headers["location"])
        return redirected(response)["code"]


def registration(client_id: str, key: Key) -> dict[str, Any]:
    """A client document as the peer wants it."""
    return {
        "client_id": client_id,
        "jwks": {"keys": [{**key.jwk, "use": "sig", "kid": "k0", "alg": key.alg}]},
        "redirect_uris": [REDIRECT],
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "id_token_signed_response_alg": "ES256",
        "dpop_bound_access_tokens": True,
        "scope": "company",
        "authorization_details_types": ["mydata_transfer"],
    }


@asynccontextmanager
async def peer(stage: Stage, other: Key, authority: Authority) -> AsyncIterator[Peer]:
    """The peer with the stage's client and a second one with the key `other`, until the block ends."""
    async with running("oracle.mjs", authority) as script:
        clients = [registration(stage.client_id, stage.key), registration(SECOND, other)]
        files = {"certificate": str(authority.certificate), "key": str(authority.key)}
        script.say({**files, "clients": clients})
        issuer = (await script.hear())["issuer"]
        async with httpx.AsyncClient(base_url=issuer, verify=authority.client_context()) as http:
            yield Peer(issuer, http, stage.key, other, stage.client_id)
