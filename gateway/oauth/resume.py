"""GET /authorize/resume/{interaction}: the ending. The code is made at the last moment, once.

Only the browser session that answered may take it, so a leaked link gives nothing. Every response to the
client carries `iss` (RFC 9207); one whose request asked for a JWT response mode is signed (JARM).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row, insert, update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import Problem
from gateway.keyring import KeyringError
from gateway.oauth import clients, jarm
from gateway.oauth.answers import Answer
from gateway.oauth.clients import Client
from gateway.oauth.exchange import Arrival, Exchange, Loaded
from gateway.oauth.grants import CODES, Grant, find_grant, hashed
from gateway.oauth.interactions import REQUESTS, find
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.server import GatewayAuthorizationServer

CODE_SECONDS = 60
"""Life of a code: FAPI 2.0 5.3.2.1-11."""
RESUME_SECONDS = 600


@dataclass(frozen=True, slots=True)
class _Settled:
    row: Row[Any]
    client: Client
    grant: Grant | None
    parameters: dict[str, str]

    def granted(self, now: int) -> bool:
        """Whether there is still a grant to make a code of; its consent may be withdrawn by now."""
        return bool(self.row.allowed) and _refusal(self.row, self.grant, now) is None


async def resume(server: GatewayAuthorizationServer, request: Request) -> Response:
    """303 to the client with `code` or `error`, `state` and `iss`.

    Raises Problem for the error page: `request_unknown`, `request_not_yours`, `request_answered`,
    `request_expired`, `ledger_behind` (the citizen's answer stands, the code is made a moment later), or why
    the consent ended in this very moment.
    """
    now = server.now()
    settled = await _load(server, request, now)
    try:
        answer, code = await server.minter.signing.offload(_decide, server, settled, now)
    except KeyringError as error:
        raise Problem.of(error) from error
    if code is not None:
        await server.may_issue()
    async with server.database.transaction() as session:
        if code is not None:
            await _still_given(session, settled, now)
        await _claim(session, settled, now)
        if code is not None:
            await _keep(session, settled, code, now)
    return answer.response()


async def _load(server: GatewayAuthorizationServer, request: Request, now: int) -> _Settled:
    async with server.database.reading() as session:
        row = await find(session, request.path_params["interaction_id"])
        if row is None or row.settled_at is None:
            raise OAuthRefusal("request_unknown")
        client = await clients.find(session, row.client_id)
        grant = await find_grant(session, row.grant_id) if row.grant_id else None
    presented = server.session_of(request) or ""
    if not hmac.compare_digest(presented.encode(), row.session_hash.encode()):
        raise OAuthRefusal("request_not_yours")
    if row.finished_at is not None:
        raise OAuthRefusal("request_answered")
    if (row.taken_at or row.settled_at) + RESUME_SECONDS <= now:
        raise OAuthRefusal("request_expired")
    if client is None or not client.active:
        raise OAuthRefusal("request_unknown")
    return _Settled(row, client, grant, orjson.loads(row.parameters))


def _decide(server: GatewayAuthorizationServer, settled: _Settled, now: int) -> tuple[Answer, str | None]:
    """Let Authlib's core make the authorization response."""
    exchange = Exchange(
        Arrival(settled.parameters, (), server.issuer + "/authorize", now), Loaded(settled.client)
    )
    exchange.refused_with = settled.row.error
    with server.deciding(exchange):
        grant = server.get_authorization_grant(exchange)
        answer: Answer = server.create_authorization_response(
            exchange, grant_user=settled.row if settled.granted(now) else None, grant=grant
        )
    if answer.location is not None and settled.parameters.get("response_mode") in jarm.JWT_MODES:
        answer.location = jarm.packed(
            answer.location,
            settled.parameters["redirect_uri"],
            signing=server.minter.signing.signing(settled.client.authorization_signed_response_alg),
            client_id=settled.client.id,
            now=now,
        )
    return answer, exchange.authorization_code


async def _claim(session: AsyncSession, settled: _Settled, now: int) -> None:
    open_ = (REQUESTS.c.interaction_id == settled.row.interaction_id) & REQUESTS.c.finished_at.is_(None)
    claimed = update(REQUESTS).where(open_).values(finished_at=now).returning(REQUESTS.c.client_id)
    if (await session.execute(claimed)).one_or_none() is None:
        raise OAuthRefusal("request_answered")


async def _still_given(session: AsyncSession, settled: _Settled, now: int) -> None:
    grant = await find_grant(session, settled.row.grant_id, hold=True)
    if dead := _refusal(settled.row, grant, now):
        raise OAuthRefusal(dead)


def _refusal(row: Row[Any], grant: Grant | None, now: int) -> str | None:
    return "grant_revoked" if grant is None else grant.refusal(now, generation=row.grant_generation)


async def _keep(session: AsyncSession, settled: _Settled, code: str, now: int) -> None:
    row, grant_id = settled.row, settled.row.grant_id
    await session.execute(
        insert(CODES).values(
            code_hash=hashed(code),
            interaction_id=row.interaction_id,
            client_id=row.client_id,
            grant_id=grant_id,
            grant_generation=row.grant_generation,
            redirect_uri=settled.parameters["redirect_uri"],
            scope=settled.grant.scope if settled.grant else "",
            code_challenge=settled.parameters["code_challenge"],
            dpop_jkt=row.dpop_jkt,
            created_at=now,
            expires_at=now + CODE_SECONDS,
        )
    )
