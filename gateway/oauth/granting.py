"""What a client asks to be done with grants (Grant Management for OAuth 2.0), and the grant an answer makes.

`create` makes a fresh grant, `merge` adds to one, `replace` puts the new one in its place. The grant is made
in the transaction of the citizen's answer, so a consent never stands without it; whatever tokens an earlier
generation of it had are dead from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from sqlalchemy import Row, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.errors import TermsError
from consent.items import from_details
from consent.merging import fresh, merged
from consent.repository import insert_or_keep
from gateway.oauth.clients import Client
from gateway.oauth.exchange import Write
from gateway.oauth.grants import GRANTS, find_grant
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.tokens import new_secret

CREATE, MERGE, REPLACE = "create", "merge", "replace"
ACTIONS = (CREATE, MERGE, REPLACE)
MEMBERS = ("grant_management_action", "grant_id")


class Answered(Protocol):
    """A citizen's yes: `interactions.Settlement`."""

    @property
    def consent_id(self) -> str | None: ...  # noqa: D102
    @property
    def consent_version(self) -> int | None: ...  # noqa: D102
    @property
    def subject_id(self) -> str | None: ...  # noqa: D102
    @property
    def details(self) -> list[dict[str, Any]] | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Asked:
    """Which grant a request is about. Without an action a fresh one is made, as ever."""

    action: str | None = None
    grant_id: str | None = None

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Asked:
        """What stands in the parameters of a request."""
        return cls(parameters.get("grant_management_action"), parameters.get("grant_id"))

    @property
    def changes(self) -> bool:
        """Whether a grant there is already is to be changed."""
        return self.action in (MERGE, REPLACE)


def read_action(form: Mapping[str, str]) -> Asked:
    """What the parameters of a pushed request say; a fresh grant gets its name already here.

    Raises OAuthRefusal `invalid_request` for an action there is not, one without the grant it needs, or a
    `grant_id` where none belongs (draft, authorization error response).
    """
    asked = Asked.of(form)
    if asked.action is not None and asked.action not in ACTIONS:
        what = f"grant_management_action must be one of {' '.join(ACTIONS)}"
        raise OAuthRefusal("invalid_request", what=what)
    if asked.changes and asked.grant_id is None:
        raise OAuthRefusal("invalid_request", what=f"{asked.action} needs a grant_id")
    if not asked.changes and asked.grant_id is not None:
        raise OAuthRefusal("invalid_request", what="grant_id goes with merge and replace only")
    return asked if asked.changes else Asked(asked.action, new_secret())


def checking(asked: Asked, client: Client, details: str, *, at: int) -> Write:
    """The write that refuses a grant which is not this client's or not in force, before anything is kept.

    `grant_id_invalid` says the same of every grant the client cannot use: whose it is stays untold.
    """

    async def check(session: AsyncSession) -> OAuthRefusal | None:
        grant = await find_grant(session, asked.grant_id or "", hold=True)
        if grant is None or grant.client_id != client.id or grant.refusal(at):
            return OAuthRefusal("grant_id_invalid")
        if asked.action != MERGE:
            return None
        more, standing = from_details(orjson.loads(details)), from_details(grant.details)
        try:
            merged(standing, more, fresh(more, standing))
        except TermsError as error:
            params: dict[str, Any] = dict(error.params)
            return OAuthRefusal(error.code, **params)
        return None

    return check


async def grant_from(session: AsyncSession, row: Row[Any], answer: Answered, *, at: int) -> dict[str, Any]:
    """Make or change the grant of an answered request; the columns that name it in the request.

    Raises OAuthRefusal `grant_id_invalid` when the grant to be changed is not there any more, or is not of
    this citizen, client and consent; `request_answered` when the grant to be made is there already.
    """
    parameters = orjson.loads(row.parameters)
    asked = Asked.of(parameters)
    values = {
        "consent_version": answer.consent_version,
        "details": orjson.dumps(answer.details).decode(),
        "resources": parameters.get("resource", ""),
        "updated_by": "client",
        "updated_at": at,
    }
    if asked.changes:
        same = GRANTS.c.id == asked.grant_id, GRANTS.c.revoked_at.is_(None)
        mine = GRANTS.c.client_id == row.client_id, GRANTS.c.subject_id == answer.subject_id
        changed = update(GRANTS).where(*same, *mine, GRANTS.c.consent_id == answer.consent_id)
        scope = (
            {"scope": ""} if asked.action == REPLACE else {}
        )  # what is agreed now is bound to it afterwards
        raised = changed.values(**values, **scope, generation=GRANTS.c.generation + 1)
        generation = (await session.execute(raised.returning(GRANTS.c.generation))).scalar_one_or_none()
        if generation is None:
            raise OAuthRefusal("grant_id_invalid")
        return {"grant_id": asked.grant_id, "grant_generation": generation}
    made = {
        "id": asked.grant_id or new_secret(),
        "client_id": row.client_id,
        "subject_id": answer.subject_id,
        "consent_id": answer.consent_id,
        "scope": "",
        "generation": 1,
        "created_at": at,
    }
    fresh_one = insert_or_keep(session, GRANTS, "id").values(**made, **values).returning(GRANTS.c.id)
    if (await session.execute(fresh_one)).one_or_none() is None:
        raise OAuthRefusal("request_answered")  # by another citizen, in this very moment
    return {"grant_id": made["id"], "grant_generation": 1}
