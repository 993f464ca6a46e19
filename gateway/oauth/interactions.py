"""The seam to the consent page: what is being asked, and the citizen's one answer.

page = await interactions.load(session, interaction_id, at=now)          # show it
await interactions.settle(session, interaction_id, Settlement(...), at=now)   # in the page's transaction
-> 303 to interactions.resume_path(interaction_id)                        # code or error to the client
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth import clients, recognition
from gateway.oauth.clients import Client
from gateway.oauth.granting import MERGE, Asked, grant_from
from gateway.oauth.openid_request import OpenIdRequest, of_kept, without_hint
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.tables import AuthorizationRequestRow

REQUESTS = AuthorizationRequestRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Pending:
    """A request waiting for the citizen: who asks, for what (`details`, RFC 9396), until when.

    `ui_locales` is the client's wish for the language of the page (OIDC Core 3.1.2.1), or None. `managed`
    says which grant the answer makes, adds to or replaces.
    """

    interaction_id: str
    client: Client
    details: list[dict[str, Any]]
    created_at: int
    answer_by: int
    ui_locales: str | None = None
    openid: OpenIdRequest = field(default_factory=OpenIdRequest)
    managed: Asked = field(default_factory=Asked)
    stage: int = 0
    """How far its citizen has come (`gateway.oauth.stages`)."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """The citizen's answer.

    Allowed: the consent as it was stored in the same transaction, and `details` as narrowed to it.
    Not allowed: the consent fields stay None, and `error` is what the client is told where it is not
    `access_denied`. `session_hash` names the browser session that answered.
    """

    allowed: bool
    session_hash: str
    consent_id: str | None = None
    consent_version: int | None = None
    subject_id: str | None = None
    details: list[dict[str, Any]] | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        if not self.session_hash:
            raise ValueError("a settlement names the browser session that answered")
        given = (self.consent_id, self.consent_version, self.subject_id, self.details)
        if self.allowed and None in given:
            raise ValueError("an allowing settlement names consent, version, subject and details")


def resume_path(interaction_id: str) -> str:
    """Where the page sends the browser once the settlement is committed."""
    return f"/authorize/resume/{interaction_id}"


async def find(session: AsyncSession, interaction_id: str) -> Row[Any] | None:
    """The stored request, in whatever state."""
    query = select(REQUESTS).where(REQUESTS.c.interaction_id == interaction_id)
    return (await session.execute(query)).one_or_none()


async def load(session: AsyncSession, interaction_id: str, *, at: int) -> Pending:
    """What is asked. Raises Problem `request_unknown`, `request_answered` or `request_expired`."""
    row = await find(session, interaction_id)
    client = await clients.find(session, row.client_id) if row else None
    if row is None or client is None or not client.active:
        raise OAuthRefusal("request_unknown")
    if row.settled_at is not None:
        raise OAuthRefusal("request_answered")
    if row.answer_by <= at:
        raise OAuthRefusal("request_expired")
    asked = orjson.loads(row.parameters)
    details = orjson.loads(asked["authorization_details"])
    locales = asked.get("ui_locales")
    openid, managed = of_kept(asked), Asked.of(asked)
    came, stage = (row.created_at, row.answer_by), row.stage or 0
    return Pending(interaction_id, client, details, *came, locales, openid, managed, stage)


async def settle(session: AsyncSession, interaction_id: str, answer: Settlement, *, at: int) -> None:
    """Record the answer and make or change the grant it gives, once. Of any number at once exactly one wins.

    Call it LAST in the transaction that stores the consent (`gateway.oauth.endings` has the order of locks):
    consent and grant exist together or neither does. Raises Problem `request_unknown`, `request_answered`,
    `request_expired` or `grant_id_invalid`; nothing is changed then.
    """
    row = await find(session, interaction_id)
    made: dict[str, Any] = {}
    if answer.allowed and row is not None and row.settled_at is None:
        made = await grant_from(session, row, answer, at=at)
        asked = orjson.loads(row.parameters)
        merging, to = Asked.of(asked).action == MERGE, str(made["grant_id"])
        await recognition.bind(session, interaction_id, to, of_kept(asked), merging=merging)
    details = None if answer.details is None else orjson.dumps(answer.details).decode()
    open_ = REQUESTS.c.settled_at.is_(None) & (REQUESTS.c.answer_by > at)
    won = (
        update(REQUESTS)
        .where((REQUESTS.c.interaction_id == interaction_id) & open_)
        .values(
            settled_at=at,
            allowed=answer.allowed,
            consent_id=answer.consent_id,
            consent_version=answer.consent_version,
            subject_id=answer.subject_id,
            session_hash=answer.session_hash,
            details=details,
            error=answer.error,
            parameters=without_hint(row.parameters if row is not None else ""),
            **made,
        )
        .returning(REQUESTS.c.client_id)
    )
    if (await session.execute(won)).one_or_none() is None:
        await load(session, interaction_id, at=at)  # names the reason
        raise OAuthRefusal("request_answered")
