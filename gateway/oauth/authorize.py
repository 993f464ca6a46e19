"""GET /authorize: takes a pushed request's reference and sends the browser to the consent page.

A visit uses nothing up (link previews, reloads: FAPI 2.0 5.3.2.2 note 3); only the answer does. Whatever
else stands in the query is ignored: it was not pushed, so nobody vouches for it.
"""

from __future__ import annotations

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from gateway.oauth.answers import Answer
from gateway.oauth.form import parse
from gateway.oauth.grants import hashed
from gateway.oauth.interactions import REQUESTS
from gateway.oauth.par import URI_PREFIX
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.server import GatewayAuthorizationServer

CONSENT_PAGE = "/consent/"


async def authorize(server: GatewayAuthorizationServer, request: Request) -> Response:
    """303 to the consent page.

    Raises Problem for the error page, never a redirect: before the request is known good there is no
    address to send anything to.
    """
    fields = parse(request.url.query.encode("ascii", "replace"))
    reference, client_id = fields.get("request_uri", ""), fields.get("client_id")
    if not reference.startswith(URI_PREFIX) or client_id is None or "request" in fields:
        raise OAuthRefusal("authorize_needs_par")
    async with server.database.reading() as session:
        query = select(REQUESTS).where(REQUESTS.c.request_hash == hashed(reference))
        row = (await session.execute(query)).one_or_none()
    if row is None or row.client_id != client_id:
        raise OAuthRefusal("request_unknown")
    if row.settled_at is not None:
        raise OAuthRefusal("request_answered")
    if row.expires_at <= server.now():
        raise OAuthRefusal("request_expired")
    return Answer(303, headers={"Location": f"{server.issuer}{CONSENT_PAGE}{row.interaction_id}"}).response()
