"""POST /token and GET /link-assertions: a code for an id_token, then statements to holders."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jws
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.sandbox.assertions import Verifier
from connectors.sandbox.identity.config import Client, IdentityConfig
from connectors.sandbox.identity.memory import Access, Shelf, SignedIn
from connectors.sandbox.refused import Refused

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLIENT_TYPES = ("client-authentication+jwt", "JWT")
LINK_TYPE = "mydata-link+jwt"
ACR = "urn:mydata:acr:sandbox"
ID_TOKEN_SECONDS = 300
ACCESS_SECONDS = 600
LINK_SECONDS = 60
NO_STORE = {"cache-control": "no-store"}


@dataclass(frozen=True, slots=True)
class Tokens:
    """The token endpoint and the link statements."""

    config: IdentityConfig
    codes: Shelf[SignedIn]
    access: Shelf[Access]
    clients: Verifier

    async def exchange(self, request: Request) -> Response:
        """A code and its PKCE verifier for tokens (OpenID Connect Core 3.1.3, RFC 7636), once."""
        form = _form(await request.body())
        client = self._client(form)
        if form.get("grant_type") != "authorization_code":
            raise Refused(400, "unsupported_grant_type", "grant_type")
        code = self.codes.take(form.get("code", ""))
        if code is None or code.request.client_id != client.client_id:
            raise Refused(400, "invalid_grant", "unknown_or_used_code")
        if form.get("redirect_uri") != code.request.redirect_uri:
            raise Refused(400, "invalid_grant", "redirect_uri")
        proof = urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if not hmac.compare_digest(proof.rstrip(b"="), code.request.challenge.encode()):
            raise Refused(400, "invalid_grant", "code_verifier")
        scope = code.request.scope
        body = {
            "access_token": self.access.put(Access(client.client_id, code.person, scope)),
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "scope": " ".join(sorted(scope)),
            "id_token": self._sign(self._claims(code, client), "JWT"),
        }
        return JSONResponse(body, headers=NO_STORE)

    async def link(self, request: Request) -> Response:
        """A statement to one holder that the signed-in person is theirs: 60 seconds, once."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        access = self.access.look(token.strip()) if scheme.lower() == "bearer" else None
        if access is None:
            raise Refused(401, "invalid_token", "unknown_or_expired_token")
        if "links" not in access.scope:
            raise Refused(403, "insufficient_scope", "links")
        holder = request.query_params.get("holder", "")
        if holder not in self.config.holders:
            raise Refused(404, "invalid_request", "unknown_holder")
        now = self.config.now()
        claims = {
            "iss": self.config.issuer,
            "aud": holder,
            "sub": self.config.people[access.person].id,
            "azp": self.config.clients[access.client_id].code,
            "iat": now,
            "exp": now + LINK_SECONDS,
            "jti": self.config.token(),
        }
        return JSONResponse({"assertion": self._sign(claims, LINK_TYPE)}, headers=NO_STORE)

    def _client(self, form: dict[str, str]) -> Client:
        """The client that signed the request (RFC 7523 2.2); the audience is the issuer and nothing else."""
        value = form.get("client_assertion", "")
        if form.get("client_assertion_type") != ASSERTION:
            raise Refused(401, "invalid_client", "bad_assertion")
        claims = self.clients.verify(value, typ=_typ(value), audience=self.config.issuer)
        client = self.config.clients[claims["iss"]]
        if (
            claims.get("sub") != client.client_id
            or form.get("client_id", client.client_id) != client.client_id
        ):
            raise Refused(401, "invalid_client", "bad_assertion")
        return client

    def _claims(self, code: SignedIn, client: Client) -> dict[str, Any]:
        person, now = self.config.people[code.person], self.config.now()
        claims: dict[str, Any] = {
            "iss": self.config.issuer,
            "sub": self._pairwise(client, person.id),
            "aud": client.client_id,
            "iat": now,
            "exp": now + ID_TOKEN_SECONDS,
            "auth_time": code.at,
            "nonce": code.request.nonce,
            "acr": ACR,
            "amr": ["sandbox"],
            "age": person.age(self.config.today),
            "birthdate": str(person.born.year),
        }
        return claims | ({"name": person.name} if "profile" in code.request.scope else {})

    def _pairwise(self, client: Client, person: str) -> str:
        """A subject only this client sees (OpenID Connect Core 8.1)."""
        secret = self.config.pairwise_secret
        digest = hmac.digest(secret, f"{client.client_id}\0{person}".encode(), hashlib.sha256)
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    def _sign(self, claims: dict[str, Any], typ: str) -> str:
        header = {"alg": "ES256", "typ": typ, "kid": self.config.key.kid}
        return jws.serialize_compact(header, json.dumps(claims), self.config.key, algorithms=["ES256"])


def _typ(value: str) -> str:
    try:
        found = jws.extract_compact(value.encode()).headers().get("typ", "JWT")
    except (JoseError, ValueError):
        return CLIENT_TYPES[0]
    return str(found) if found in CLIENT_TYPES else CLIENT_TYPES[0]


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode(), strict_parsing=True, max_num_fields=12)
    except ValueError:
        raise Refused(400, "invalid_request", "not_a_form") from None
    if len(dict(pairs)) != len(pairs):
        raise Refused(400, "invalid_request", "repeated_parameter")
    return dict(pairs)
