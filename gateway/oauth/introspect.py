"""POST /introspect (RFC 7662): whether a token lives now, by the live rows, told to its own client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth.answers import Answer
from gateway.oauth.door import Door
from gateway.oauth.exchange import Exchange, Loaded
from gateway.oauth.grants import Grant, RefreshToken, find_grant, find_refresh
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.replay import is_spent
from gateway.oauth.tokens import jti_hash

TOLD = (
    "iss", "sub", "aud", "client_id", "iat", "exp", "jti", "cnf", "scope",
    "grant_id", "consent_version", "authorization_details",
)  # fmt: skip
DEAD = {"active": False}


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
        revoked = await is_spent(session, "revoked", jti_hash(claims["jti"]))
        return replace(loaded, claims=claims, grant=grant, revoked=revoked)

    def decide(self, exchange: Exchange) -> Answer:
        """Authenticate, then `active` with the claims, or only `active: false`."""
        client = self.authenticate(exchange)
        if "token" not in exchange.form:
            raise OAuthRefusal("invalid_request", what="token is missing")
        loaded, now = exchange.loaded, exchange.arrival.now
        if loaded.refresh is not None and loaded.refresh.client_id == client.id:
            return Answer(200, self._refresh(loaded.refresh, now))
        if loaded.claims is None or loaded.claims["client_id"] != client.id or loaded.revoked:
            return Answer(200, DEAD)
        return Answer(200, _access(loaded.claims, loaded.grant, now))

    def _refresh(self, token: RefreshToken, now: int) -> dict[str, Any]:
        if token.revoked or token.grant.refusal(now):
            return DEAD
        return {
            "active": True,
            "iss": self.server.issuer,
            "client_id": token.client_id,
            "sub": self.server.minter.subject(token.grant),
            "exp": token.expires_at,
            "grant_id": token.grant.id,
            "authorization_details": token.grant.details,
        }


def _access(claims: Mapping[str, Any], grant: Grant | None, now: int) -> dict[str, Any]:
    if "grant_id" in claims and (grant is None or grant.refusal(now, version=claims["consent_version"])):
        return DEAD
    told = {name: claims[name] for name in TOLD if name in claims}
    return {"active": True, "token_type": "DPoP", **told}
