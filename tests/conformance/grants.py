"""What a client does with its grants, and the citizen's answer to a request that changes one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import httpx
import jwt
import orjson
from sqlalchemy import select

from consent import repository, service
from consent.items import Terms, to_details
from consent.journal import payload_context
from consent.ledger_tables import PAYLOAD
from consent.service import Asked
from consent.subjects import SubjectId
from consent.text import ShownText
from gateway.oauth import Settlement, interactions
from tests.oauth_keys import b64
from tests.oauth_stage import SESSION, Stage

QUERY, REVOKE = "grant_management_query", "grant_management_revoke"


async def company_token(stage: Stage, scope: str, **form: Any) -> httpx.Response:
    """The answer to a request for a token of the client's own."""
    return await stage.post("/token", grant_type="client_credentials", scope=scope, **form)


async def with_token(stage: Stage, method: str, path: str, token: str) -> httpx.Response:
    """A call of any method with a bound token."""
    ath = b64(hashlib.sha256(token.encode()).digest())
    headers = {"Authorization": f"DPoP {token}", "DPoP": stage.proof(method, path, ath=ath)}
    return await stage.http.request(method, path, headers=headers)


async def at_grant(stage: Stage, method: str, grant_id: str, scope: str | None = None) -> httpx.Response:
    """GET or DELETE a grant with a token of the scope that goes with it (or of another)."""
    wanted = scope or (QUERY if method == "GET" else REVOKE)
    answered = await company_token(stage, wanted)
    assert answered.status_code == 200, answered.text
    return await with_token(stage, method, f"/grants/{grant_id}", answered.json()["access_token"])


async def amended(stage: Stage, interaction: str, terms: Terms) -> None:
    """The citizen of the last consent says yes to `terms`, in one transaction with the grant."""
    before = stage.consent
    assert before is not None
    async with stage.database.transaction() as session:
        live = await repository.load(session, before.id)
        assert live is not None
        shown = ShownText(f"shown for {interaction}", "1", "en")
        asked = Asked(live.subject, stage.client_id, interaction, terms, shown)
        asking = await interactions.load(session, interaction, at=stage.now)
        await stage.recognise(session, asking, live.subject)
        after = await service.amend(
            session,
            stage.journal,
            asked,
            terms,
            consent_id=live.id,
            version=live.version,
            at=stage.now,
        )
        answer = Settlement(True, SESSION, after.id, after.version, after.subject, to_details(after.terms))
        await interactions.settle(session, interaction, answer, at=stage.now)
    stage.consent = after


async def changed(stage: Stage, action: str, grant_id: str, *fields: str, **form: Any) -> dict[str, Any]:
    """Tokens after the citizen agreed to these fields instead, by `action` on the grant."""
    assert stage.consent is not None
    item = replace(stage.consent.terms.items[0], fields=fields)
    interaction = await stage.interaction(grant_management_action=action, grant_id=grant_id, **form)
    await amended(stage, interaction, replace(stage.consent.terms, items=(item,)))
    code = stage.told(await stage.resume(interaction))["code"]
    answered = await stage.token(code)
    assert answered.status_code == 200, answered.text
    body: dict[str, Any] = answered.json()
    return body


def claims_of(token: str) -> dict[str, Any]:
    """What stands in an access token."""
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


async def told_of(stage: Stage, subject: SubjectId) -> list[dict[str, Any]]:
    """A citizen's ledger payloads, opened, in order."""
    async with stage.database.reading() as session:
        key = await stage.subjects.key(session, subject)
        query = select(PAYLOAD.c.n, PAYLOAD.c.body).where(PAYLOAD.c.subject == subject)
        rows = (await session.execute(query.order_by(PAYLOAD.c.n))).all()
    return [orjson.loads(key.unseal(row.body, payload_context(subject, row.n))) for row in rows]
