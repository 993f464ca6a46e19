"""What the citizen's pages ask the authorization server: may this sign-in answer; an error without a page.

An error sent back without a page (`prompt=none` and its kin) changes nothing: the request stays unanswered
until it expires.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import orjson
from authlib.common.urls import add_params_to_uri
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from gateway.oauth import interactions, jarm
from gateway.oauth.answers import Answer
from gateway.oauth.interactions import Pending
from gateway.oauth.logout import Leaving, leaving
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.security.sessions import CitizenSession


class Unmet(Enum):
    """Why the citizen's present sign-in may not answer a request."""

    TOO_OLD = "too old"
    SOMEBODY_ELSE = "somebody else"
    TOO_WEAK = "too weak"

    @property
    def error(self) -> str:
        """What the client is told (Core 3.1.2.6; for a class not reached, 5.5.1.1)."""
        return "unmet_authentication_requirements" if self is Unmet.TOO_WEAK else "login_required"


class Answering:
    """The server as the pages see it. Keeps nothing."""

    def __init__(self, server: GatewayAuthorizationServer) -> None:
        """Speak for `server`."""
        self._server = server

    def unmet(self, pending: Pending, citizen: CitizenSession) -> Unmet | None:
        """Why this sign-in may not answer this request; None if it may. Pure."""
        asked, how = pending.openid, citizen.how
        if _too_old(pending, citizen):
            return Unmet.TOO_OLD
        if asked.names_citizen:
            subject = self._server.minter.subject(pending.client, citizen.subject)
            if not asked.may_be(subject):
                return Unmet.SOMEBODY_ELSE
        acrs = asked.claims.acrs
        if acrs is not None and (how.acr is None or (acrs and how.acr not in acrs)):
            return Unmet.TOO_WEAK
        return None

    async def leaving(self, session: AsyncSession, asked: Mapping[str, str]) -> Leaving:
        """Where a sign-out asked for by a client may lead; see `gateway.oauth.logout`."""
        return await leaving(session, self._server.id_tokens, asked)

    async def send_back(self, interaction_id: str, error: str, *, late: bool = False) -> Response:
        """303 to the client with `error`, state and iss, signed if it asked for that (RFC 9207, JARM).

        Raises Problem `request_unknown`. `error` is a registered error of OpenID Connect, never input. With
        `late` the time to answer may be over: who put the answer off is not left without a way back.
        """
        server, now = self._server, self._server.now()
        async with server.database.reading() as session:
            row = await interactions.find(session, interaction_id)
            at = row.created_at if row is not None and late else now
            pending = await interactions.load(session, interaction_id, at=at)
        if row is None:
            raise OAuthRefusal("request_unknown")
        asked = orjson.loads(row.parameters)
        state = [("state", asked["state"])] if "state" in asked else []
        told = [("error", error), *state, ("iss", server.issuer)]
        location = str(add_params_to_uri(asked["redirect_uri"], told))
        if asked.get("response_mode") in jarm.JWT_MODES:
            signing = server.minter.signing
            key = signing.signing(pending.client.authorization_signed_response_alg)
            to = asked["redirect_uri"]
            location = await signing.offload(
                jarm.packed, location, to, signing=key, client_id=pending.client.id, now=now
            )
        return Answer(303, headers={"Location": location}).response()


def signed_in_for(pending: Pending, citizen: CitizenSession) -> bool:
    """Whether the citizen signed in since this was asked."""
    return citizen.created_at >= pending.created_at


def _too_old(pending: Pending, citizen: CitizenSession) -> bool:
    asked, at = pending.openid, citizen.how.auth_time
    if at is None and asked.needs_auth_time:
        return True
    if "select_account" in asked.prompt and not signed_in_for(pending, citizen):
        return True
    return at is not None and asked.oldest is not None and at < pending.created_at - asked.oldest
