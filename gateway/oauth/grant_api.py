"""GET and DELETE /grants/{grant_id}: a client looks at one of its grants, or gives it up (Grant Management).

A token with the scope `grant_management_query` or `grant_management_revoke`, bound as every token, opens
them: one of client_credentials every grant of the client, one made from a grant that grant only. Another
client's grant is not there, just as one that never was. None are listed.
Giving a grant up is a revocation by the party: its consent is `revoked`, never blocked, once.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from consent import service
from consent.endings import RECIPIENT_WHYS
from consent.records import State
from gateway.oauth import recognition
from gateway.oauth.answers import Answer
from gateway.oauth.bearer import AuthenticatedCompany, ResourceServer
from gateway.oauth.claims import PERSONAL
from gateway.oauth.endings import end_grant
from gateway.oauth.grants import GRANTS, Grant, find_grant
from gateway.oauth.openid_request import MANAGING, QUERY, REVOKE, SCOPES
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.server import GatewayAuthorizationServer

PATH = "/grants/{grant_id}"
WHY = "revoked_by_client"


class GrantApi:
    """The two calls. Keeps no state between them."""

    def __init__(self, server: GatewayAuthorizationServer) -> None:
        """Answer for `server`."""
        self._server = server
        self._guard = ResourceServer(server)

    async def query(self, request: Request) -> Response:
        """200 with what the grant allows now.

        Raises Problem `grant_not_found`, or with 404 why the client's own grant has ended (`grant_revoked`,
        `consent_withdrawn`, ...); 401 and 403 as every protected resource.
        """
        found = await self._guard.for_managing(request, scope=QUERY, resource=self._resource)
        async with self._server.database.reading() as session:
            grant = await _own(session, request, found)
            if (dead := grant.refusal(self._server.now())) and dead != "consent_paused":
                raise OAuthRefusal(dead, status=404)
            return Answer(200, await self._told(session, grant)).response()

    async def revoke(self, request: Request) -> Response:
        """204: grant, tokens and consent are over, however often this is said. `reason` may say why.

        Raises `grant_not_found`; `invalid_request` for a reason that is not in `RECIPIENT_WHYS`.
        """
        found = await self._guard.for_managing(request, scope=REVOKE, resource=self._resource)
        server, now, why = self._server, self._server.now(), _why(request)
        async with server.database.transaction() as session:
            grant = await _own(session, request, found)
            alive = grant.consent.state in ("active", "paused")
            ended = await service.revoke(
                session, server.record.journal, grant.consent_id, party=found.client.id, why=why, at=now
            )
            made = ended.state is State.REVOKED and ended.changed_at == now
            if alive and made and server.after_revocation is not None:
                await server.after_revocation(session, ended)
            await end_grant(session, server.record, grant, why, at=now)
        return Answer(204).response()

    @property
    def _resource(self) -> str:
        return self._server.minter.resources.grants

    async def _told(self, session: AsyncSession, grant: Grant) -> dict[str, Any]:
        """The grant resource of the draft; both spellings of the time of the last change stand there."""
        times = select(GRANTS.c.created_at, GRANTS.c.updated_at, GRANTS.c.updated_by)
        row = (await session.execute(times.where(GRANTS.c.id == grant.id))).one()
        given = await recognition.of_grant(session, grant.id) if grant.scope else None
        resources = self._server.minter.resources
        of = ((SCOPES, resources.userinfo), (MANAGING, resources.grants))
        named = [(" ".join(name for name in grant.scope.split() if name in known), at) for known, at in of]
        scopes: list[dict[str, Any]] = [{"scope": names, "resource": [at]} for names, at in named if names]
        return {
            "scopes": [*scopes, {"resource": [resources.data]}],
            "claims": [name for name in PERSONAL if given is not None and name in given.told],
            "authorization_details": grant.details,
            "created_at": row.created_at,
            "last_updated": row.updated_at,
            "last_updated_at": row.updated_at,
            "expires_at": grant.consent.end_at,
            "updated_by": row.updated_by,
        }


def _why(request: Request) -> str:
    """The reason the client gives, a stable word; else that it gave the grant up."""
    given = request.query_params.getlist("reason")
    if not given:
        return WHY
    if len(given) > 1 or given[0] not in RECIPIENT_WHYS:
        raise OAuthRefusal(
            "invalid_request", what=f"reason must be one of {' '.join(sorted(RECIPIENT_WHYS))}"
        )
    return given[0]


async def _own(session: AsyncSession, request: Request, by: AuthenticatedCompany) -> Grant:
    grant = await find_grant(session, request.path_params["grant_id"])
    if grant is None or grant.client_id != by.client.id or by.grant_id not in (None, grant.id):
        raise OAuthRefusal("grant_not_found")
    return grant
