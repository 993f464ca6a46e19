"""POST /introspect (RFC 7662): whether a token lives now, by the live rows, told to its own client.

A caller that asks for `application/token-introspection+jwt` gets the answer signed (RFC 9701).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth.answers import Answer
from gateway.oauth.clients import Client
from gateway.oauth.door import Door
from gateway.oauth.exchange import Exchange, Loaded
from gateway.oauth.grants import Grant, RefreshToken, find_grant, find_refresh, hashed
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.replay import is_spent
from gateway.oauth.tokens import jti_hash, token_type
from gateway.oauth.unit import Question, question_of

TOLD = (
    "iss", "sub", "aud", "client_id", "iat", "exp", "jti", "cnf", "scope",
    "grant_id", "consent_version", "authorization_details",
)  # fmt: skip
_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
DEAD = {"active": False}
SIGNED = "token-introspection+jwt"


class IntrospectDoor(Door):
    """Another client's token looks exactly like an unknown one."""

    path = "/introspect"

    async def load(self, session: AsyncSession, form: Mapping[str, str], loaded: Loaded) -> Loaded:
        """The token with its grant, its live consent and whether it was revoked."""
        token = form.get("token", "")
        claims = self.server.minter.read(token, self.server.now())
        if claims is None:
            return replace(loaded, refresh=await find_refresh(session, token))
        grant = await find_grant(session, claims["grant_id"]) if "grant_id" in claims else None
        revoked = await is_spent(session, "revoked", jti_hash(claims["jti"]), claims["exp"])
        return replace(loaded, claims=claims, grant=grant, revoked=revoked)

    async def look(self, client_id: str, form: Mapping[str, str]) -> Loaded | None:
        """The same, all rows as of one moment."""
        token = form.get("token", "")
        claims = self.server.minter.read(token, self.server.now())
        if claims is None:
            seen = await self.server.together.look(Question(client_id, refresh=hashed(token)))
            return Loaded(seen.client, refresh=seen.refresh)
        seen = await self.server.together.look(question_of(claims))
        asking = seen if claims["client_id"] == client_id else None
        if asking is None:
            asking = await self.server.together.look(Question(client_id))
        return Loaded(asking.client, claims=claims, grant=seen.grant, revoked=seen.given_up)

    def decide(self, exchange: Exchange) -> Answer:
        """Authenticate, then `active` with the claims, or only `active: false`."""
        client = self.authenticate(exchange)
        if "token" not in exchange.form:
            raise OAuthRefusal("invalid_request", what="token is missing")
        now = exchange.arrival.now
        told = self._told(exchange.loaded, client, now)
        if not wants_signed(exchange.arrival.accept):
            return Answer(200, told)
        return Answer(200, self._signed(told, client, now), media_type=f"application/{SIGNED}")

    def _told(self, loaded: Loaded, client: Client, now: int) -> dict[str, Any]:
        if loaded.refresh is not None and loaded.refresh.client_id == client.id:
            return self._refresh(loaded.refresh, client, now)
        if loaded.claims is None or loaded.claims["client_id"] != client.id or loaded.revoked:
            return DEAD
        return _access(loaded.claims, loaded.grant, now)

    def _signed(self, told: dict[str, Any], client: Client, now: int) -> bytes:
        """RFC 9701 5: for this caller alone, and neither `sub` nor `exp`, so that it is no access token."""
        claims = {"iss": self.server.issuer, "aud": client.id, "iat": now, "token_introspection": told}
        key = self.server.minter.signing.signing(client.introspection_signed_response_alg)
        return key.sign(claims, SIGNED).encode("ascii")

    def _refresh(self, token: RefreshToken, client: Client, now: int) -> dict[str, Any]:
        if token.revoked or token.grant.refusal(now, generation=token.generation):
            return DEAD
        return {
            "active": True,
            "iss": self.server.issuer,
            "client_id": token.client_id,
            "sub": self.server.minter.subject(client, token.grant.subject_id),
            "exp": token.expires_at,
            "grant_id": token.grant.id,
            "authorization_details": token.grant.details,
        }


def wants_signed(accept: str) -> bool:
    """Whether the caller names the signed form and wants no other more (RFC 9701 4, RFC 9110 12.4.2).

    A wildcard is not a wish for it: who does not know it gets JSON.
    """
    wishes = {"json": 0.0, SIGNED: 0.0}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        kind = name.removeprefix("application/")
        if kind in wishes and name != kind:
            wishes[kind] = max(wishes[kind], _weight(parameters))
    return 0.0 < wishes[SIGNED] >= wishes["json"]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            return float(parameter[2:]) if _WEIGHT.fullmatch(parameter[2:]) else 0.0
    return 1.0


def _access(claims: Mapping[str, Any], grant: Grant | None, now: int) -> dict[str, Any]:
    if "grant_id" in claims and (grant is None or grant.refusal_of(claims, now)):
        return DEAD
    told = {name: claims[name] for name in TOLD if name in claims}
    return {"active": True, "token_type": token_type(claims["cnf"]), **told}
