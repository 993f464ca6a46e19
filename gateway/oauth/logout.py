"""RP-initiated logout: whether a client's wish to sign its citizen out names somewhere to go afterwards.

Nothing is refused here: a request whose hint, client or address does not fit still leads to the confirmation
page, only without a way back (RP-Initiated Logout 1.0 2, 3). Consents, grants and tokens are untouched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from authlib.common.urls import add_params_to_uri
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth import clients
from gateway.oauth.clients import Client
from gateway.oauth.id_token import IdTokens
from gateway.oauth.refusals import OAuthRefusal

ASKED = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
"""What of a request is looked at and carried to the confirmation."""
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who asks, if that is known, and the address to go back to, if it may be gone to."""

    client: Client | None = None
    back: str | None = None


async def leaving(session: AsyncSession, id_tokens: IdTokens, asked: Mapping[str, str]) -> Leaving:
    """What `asked` comes to. The way back needs a hint of ours and an address registered exactly."""
    if any(len(asked.get(name, "")) > _LONGEST for name in ASKED):
        return Leaving()
    client_id = _hinted_client(id_tokens, asked)
    client = await clients.find(session, client_id) if client_id else None
    if client is None or not client.active:
        return Leaving()
    uri, state = asked.get("post_logout_redirect_uri"), asked.get("state")
    if uri is None or uri not in client.openid.post_logout_redirect_uris:
        return Leaving(client)
    return Leaving(client, str(add_params_to_uri(uri, [("state", state)])) if state else uri)


def _hinted_client(id_tokens: IdTokens, asked: Mapping[str, str]) -> str | None:
    """Whom the id_token was issued to; None without one, and where `client_id` says otherwise."""
    named = asked.get("client_id")
    try:
        return str(id_tokens.hinted(asked.get("id_token_hint", ""), named)["aud"])
    except OAuthRefusal:
        return None
