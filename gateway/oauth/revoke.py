"""POST /revoke (RFC 7009): a client gives up a token. The consent stays: ending that is the citizen's.

A refresh token takes its whole grant with it (every access token too); an access token only itself. A refresh
token that is dead already, for its grant was merged or replaced, takes nothing of what came after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth.answers import Answer
from gateway.oauth.door import Door
from gateway.oauth.endings import end_grant
from gateway.oauth.exchange import Exchange, Loaded, Write
from gateway.oauth.grants import RefreshToken, find_refresh
from gateway.oauth.ledger import Record
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.replay import OneTime, spend
from gateway.oauth.tokens import jti_hash


class RevokeDoor(Door):
    """Answers 200 for any token, its own or not, known or not (RFC 7009 2.2)."""

    path = "/revoke"

    async def load(self, session: AsyncSession, form: Mapping[str, str], loaded: Loaded) -> Loaded:
        """The refresh token, or the claims of our access token."""
        token = form.get("token", "")
        claims = self.server.minter.read(token, self.server.now())
        refresh = None if claims else await find_refresh(session, token)
        return replace(loaded, refresh=refresh, claims=claims)

    def decide(self, exchange: Exchange) -> Answer:
        """Authenticate; end what belongs to this client."""
        client = self.authenticate(exchange)
        if "token" not in exchange.form:
            raise OAuthRefusal("invalid_request", what="token is missing")
        refresh, claims, now = exchange.loaded.refresh, exchange.loaded.claims, exchange.arrival.now
        if refresh is not None and refresh.client_id == client.id:
            exchange.writes.append(_ending(refresh, self.server.record, now))
        elif claims is not None and claims["client_id"] == client.id:
            exchange.writes.append(_killing(OneTime("revoked", jti_hash(claims["jti"]), claims["exp"], "")))
        return Answer(200)


def _ending(token: RefreshToken, record: Record, now: int) -> Write:
    async def end(session: AsyncSession) -> None:
        made_for = token.generation
        await end_grant(session, record, token.grant, "revoked_by_client", at=now, generation=made_for)

    return end


def _killing(token: OneTime) -> Write:
    async def kill(session: AsyncSession) -> None:
        await spend(session, token)

    return kill
