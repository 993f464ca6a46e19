"""POST /token: the decision is Authlib's core with our flows; here is only what it needs loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth import recognition
from gateway.oauth.answers import Answer
from gateway.oauth.clients import GRANT_TYPES
from gateway.oauth.door import Door
from gateway.oauth.exchange import Exchange, Loaded
from gateway.oauth.grants import find_code, find_refresh, hashed
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.unit import Known, Question


class TokenDoor(Door):
    """authorization_code, refresh_token and client_credentials."""

    path = "/token"
    issues = True

    async def load(self, session: AsyncSession, form: Mapping[str, str], loaded: Loaded) -> Loaded:
        """The code or refresh token with its grant and live consent."""
        match form.get("grant_type"):
            case "authorization_code":
                code = form.get("code", "")
                found = await find_code(session, code)
                given = await recognition.of_code(session, code) if found and found.scope else None
                return replace(loaded, code=found, recognition=given)
            case "refresh_token":
                token = await find_refresh(session, form.get("refresh_token", ""))
                scope = token.grant.scope if token else ""
                given = await recognition.of_grant(session, token.grant.id) if token and scope else None
                return replace(loaded, refresh=token, recognition=given)
        return loaded

    def remembered(self, client_id: str, form: Mapping[str, str]) -> Known | None:
        """A token of its own is decided on the client alone."""
        if form.get("grant_type") != "client_credentials":
            return None
        return self.server.together.remembered(client_id)

    async def look(self, client_id: str, form: Mapping[str, str]) -> Loaded | None:
        """The client, or the refresh token of a grant that carries no scope of OpenID Connect."""
        match form.get("grant_type"):
            case "client_credentials":
                return Loaded((await self.server.together.look(Question(client_id))).client)
            case "refresh_token":
                wanted = Question(client_id, refresh=hashed(form.get("refresh_token", "")))
                seen = await self.server.together.look(wanted)
                if seen.grant is None or not seen.grant.scope:
                    return Loaded(seen.client, refresh=seen.refresh)
        return None

    def decide(self, exchange: Exchange) -> Answer:
        """What Authlib's core answers."""
        if exchange.form.get("grant_type") not in GRANT_TYPES:
            self.authenticate(exchange)
            if "grant_type" not in exchange.form:
                raise OAuthRefusal("invalid_request", what="grant_type is missing")
            raise OAuthRefusal("unsupported_grant_type")
        answer: Answer = self.server.create_token_response(exchange)
        return answer
