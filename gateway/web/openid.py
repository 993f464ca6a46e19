"""The OpenID Connect relying party: discovery, PKCE, private_key_jwt, one code, one id_token.

OpenID Connect Core 3.1, RFC 7636 (S256), RFC 7523. Every endpoint must lie on the issuer's own origin, so a
discovery document cannot send the gateway elsewhere. Nothing is retried: a person can press again.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson

from connectors.errors import HolderError
from connectors.http import exchange
from consent.clock import Clock, utc_now
from gateway.errors import Language
from gateway.keyring import base64url
from gateway.oauth.jws import PublicKey
from gateway.web.id_token import Expected, public_keys, verified_person
from gateway.web.identity import ANY, Attempt, IdentityError, Person, Wish

SCOPE = "openid links"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 60
_MAX_BYTES = 65_536
_ANSWER_SECONDS = 10.0
"""For one whole answer; a provider that drips holds nobody longer."""
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "link_assertion_endpoint")

Signer = Callable[[dict[str, Any], str], str]
"""Signs claims as a compact ES256 JWS with the given `typ`."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who we are to the provider."""

    client_id: str
    redirect_uri: str
    sign: Signer = field(repr=False)


class OpenIdProvider:
    """An OpenID provider. Its metadata and keys are kept; keys are fetched again for an unknown kid."""

    def __init__(
        self, issuer: str, party: RelyingParty, http: httpx.AsyncClient, *, clock: Clock = utc_now
    ) -> None:
        """Speak to `issuer` as `party` through `http`."""
        self.issuer = issuer
        self._party = party
        self._http = http
        self._clock = clock
        self._metadata: Mapping[str, str] | None = None
        self._keys: Mapping[str, PublicKey] = {}

    async def begin(self, attempt: Attempt, language: Language, wish: Wish = ANY) -> str:
        """The authorization request, with PKCE S256, state and nonce, and what is wished of the sign-in."""
        endpoint = (await self._discovered())["authorization_endpoint"]
        challenge = base64url(hashlib.sha256(attempt.code_verifier.encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": self._party.client_id,
            "redirect_uri": self._party.redirect_uri,
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "ui_locales": language,
            **_wished(wish),
        }
        return f"{endpoint}?{urlencode(asked)}"

    async def finish(self, code: str, attempt: Attempt, since: int | None = None) -> Person:
        """Exchange `code` once and verify the id_token."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._party.redirect_uri,
            "code_verifier": attempt.code_verifier,
            "client_id": self._party.client_id,
            "client_assertion_type": _ASSERTION,
            "client_assertion": await asyncio.to_thread(self._assertion),
        }
        endpoint = (await self._discovered())["token_endpoint"]
        answer = await self._read("POST", endpoint, "token", data=form)
        token, access = answer.get("id_token"), answer.get("access_token")
        if not isinstance(token, str) or not isinstance(access, str):
            raise IdentityError("sign_in_failed", "the token answer lacks a token")
        if str(answer.get("token_type", "")).lower() != "bearer":
            raise IdentityError("sign_in_failed", "the token type is not Bearer")
        now = int(self._clock().timestamp())
        expected = Expected(self.issuer, self._party.client_id, attempt.nonce, now, since)
        return await verified_person(token, access, expected, self._key)

    async def vouch(self, person: Person, holder: str) -> str:
        """Ask for the statement to `holder`."""
        endpoint = (await self._discovered())["link_assertion_endpoint"]
        headers = {"authorization": f"Bearer {person.access}"}
        answer = await self._read("GET", endpoint, "link", params={"holder": holder}, headers=headers)
        if not isinstance(statement := answer.get("assertion"), str):
            raise IdentityError("sign_in_failed", "the link answer lacks a statement")
        return statement

    async def _discovered(self) -> Mapping[str, str]:
        if self._metadata is None:
            found = await self._read("GET", f"{self.issuer}/.well-known/openid-configuration", "discovery")
            if found.get("issuer") != self.issuer:
                raise IdentityError("identity_unavailable", "discovery names another issuer")
            for name in _ENDPOINTS:
                if not str(found.get(name, "")).startswith(f"{self.issuer}/"):
                    raise IdentityError("identity_unavailable", f"{name} lies on another origin")
            self._metadata = {name: str(found[name]) for name in _ENDPOINTS}
        return self._metadata

    async def _key(self, kid: str) -> PublicKey | None:
        if kid not in self._keys:
            answer = await self._read("GET", (await self._discovered())["jwks_uri"], "keys")
            self._keys = public_keys(answer)
        return self._keys.get(kid)

    def _assertion(self) -> str:
        now = int(self._clock().timestamp())
        claims = {
            "iss": self._party.client_id,
            "sub": self._party.client_id,
            "aud": self.issuer,
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(16),
        }
        return self._party.sign(claims, "client-authentication+jwt")

    async def _read(self, method: str, url: str, what: str, **sent: Any) -> dict[str, Any]:
        """One JSON object of the provider. 4xx means it refused, anything else that it cannot be reached."""
        request = self._http.build_request(method, url, **sent)
        try:
            read = await exchange(self._http, request, seconds=_ANSWER_SECONDS, max_bytes=_MAX_BYTES)
        except HolderError as error:
            raise IdentityError("identity_unavailable", f"{what}: {error.detail}") from error
        if 400 <= read.status < 500 and read.status != 429:
            raise IdentityError("sign_in_failed", f"{what}: status {read.status}")
        if read.status != 200:
            raise IdentityError("identity_unavailable", f"{what}: status {read.status}")
        try:
            answer = orjson.loads(read.body)
        except orjson.JSONDecodeError as error:
            raise IdentityError("identity_unavailable", f"{what}: not JSON") from error
        if not isinstance(answer, dict):
            raise IdentityError("identity_unavailable", f"{what}: not an object")
        return answer


def _wished(wish: Wish) -> dict[str, str]:
    """The wish as parameters; what is not wished is not sent (OpenID Connect Core 3.1.2.1)."""
    age = None if wish.max_age is None else str(wish.max_age)
    found = {
        "prompt": wish.prompt,
        "max_age": age,
        "acr_values": " ".join(wish.acr_values),
        "login_hint": wish.login_hint,
    }
    return {name: value for name, value in found.items() if value}
