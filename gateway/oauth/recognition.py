"""A citizen's agreement to be recognised by one client: kept with the answer, bound to its grant.

All SQL of it; runs in the caller's transaction and never commits. A recognition lives exactly as long as its
grant and consent: nothing is told under a dead one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.repository import insert_or_keep
from gateway.oauth.grants import CODES, GRANTS, hashed
from gateway.oauth.openid_request import SCOPES, OpenIdRequest, together
from gateway.oauth.openid_tables import RecognitionRow
from gateway.oauth.refusals import OAuthRefusal
from gateway.security.sessions import SignedIn

RECOGNITIONS = RecognitionRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Recognition:
    """What one client may be told of one citizen. `told` names claims and where (id_token, userinfo)."""

    subject_id: str
    scope: str
    signed_in: SignedIn
    nonce: str | None = field(default=None, repr=False)
    told: Mapping[str, Collection[str]] = field(default_factory=dict)
    locale: str | None = None

    def claims_for(self, place: str) -> dict[str, Any]:
        """The claims beside `sub` for `place`: id_token or userinfo."""
        known = {
            "auth_time": self.signed_in.auth_time,
            "acr": self.signed_in.acr,
            "amr": list(self.signed_in.amr) or None,
            "locale": self.locale,
        }
        return {name: known[name] for name in known if place in self.told.get(name, ()) and known[name]}


def agreed(
    asked: OpenIdRequest, subject: str, how: SignedIn, ticked: Collection[str], locale: str
) -> Recognition:
    """What a citizen agrees to who was asked `asked` and ticked these personal claims."""
    told: dict[str, Collection[str]] = {"auth_time": ["id_token"], "acr": ["id_token"], "amr": ["id_token"]}
    for name in asked.claims.sign_in:
        told[name] = ["id_token", "userinfo"]
    told |= {name: places for name, places in asked.personal.items() if name in ticked}
    spoken = locale if "locale" in told else None
    scope = " ".join(name for name in asked.scope.split() if name in SCOPES)
    return Recognition(subject, scope, how, asked.nonce, told, spoken)


def joined(before: Recognition, now: Recognition, asked: Collection[str]) -> Recognition:
    """Both together, after a merge: what was told before stays told unless `asked` put it anew.

    A personal claim that stood on the page again follows the citizen's last answer. Sign-in and nonce are
    those of `now`.
    """
    stays = {name: places for name, places in before.told.items() if name not in asked}
    told: dict[str, Collection[str]] = {
        name: sorted({*stays.get(name, ()), *now.told.get(name, ())}) for name in (*stays, *now.told)
    }
    locale = (now.locale or before.locale) if "locale" in told else None
    return replace(now, scope=together(before.scope, now.scope), told=told, locale=locale)


async def keep(
    session: AsyncSession, interaction_id: str, client_id: str, given: Recognition, *, at: int
) -> None:
    """Keep the answer to one request, in the transaction that settles it.

    Raises OAuthRefusal `request_answered`: of several answers at once the first one stands.
    """
    made = insert_or_keep(session, RECOGNITIONS, "interaction_id").values(
        interaction_id=interaction_id,
        client_id=client_id,
        subject_id=given.subject_id,
        scope=given.scope,
        nonce=given.nonce,
        auth_time=given.signed_in.auth_time,
        acr=given.signed_in.acr,
        amr=orjson.dumps(given.signed_in.amr).decode(),
        told=orjson.dumps({name: list(places) for name, places in given.told.items()}).decode(),
        locale=given.locale,
        created_at=at,
    )
    if (await session.execute(made.returning(RECOGNITIONS.c.interaction_id))).one_or_none() is None:
        raise OAuthRefusal("request_answered")


async def bind(
    session: AsyncSession, interaction_id: str, grant_id: str, asked: OpenIdRequest, *, merging: bool
) -> None:
    """Bind what was agreed to, if anything was, to the grant the answer makes, and give that its scope.

    Of a grant that is merged what was agreed before stays; of one that is replaced nothing does. A grant has
    one recognition at most.
    """
    mine = RECOGNITIONS.c.interaction_id == interaction_id
    now = _of_row((await session.execute(select(RECOGNITIONS).where(mine))).one_or_none())
    before = await of_grant(session, grant_id) if merging else None
    if now is not None and before is not None:
        now = joined(before, now, asked.personal)
    if now is not None or not merging:
        await session.execute(delete(RECOGNITIONS).where(RECOGNITIONS.c.grant_id == grant_id))
    managing = " ".join(name for name in asked.scope.split() if name not in SCOPES)
    if now is not None:
        told = orjson.dumps({name: list(places) for name, places in now.told.items()}).decode()
        values = {"grant_id": grant_id, "scope": now.scope, "told": told, "locale": now.locale}
        await session.execute(update(RECOGNITIONS).where(mine).values(**values))
    if now is not None or managing:
        this = GRANTS.c.id == grant_id
        had = (await session.execute(select(GRANTS.c.scope).where(this))).scalar_one()
        scope = together(had, now.scope if now is not None else "", managing)
        await session.execute(update(GRANTS).where(this).values(scope=scope))


async def signed_in_as(session: AsyncSession, interaction_id: str, how: SignedIn) -> None:
    """The citizen takes an answer that somebody gave for them: the sign-in told is their own."""
    values = {"auth_time": how.auth_time, "acr": how.acr, "amr": orjson.dumps(how.amr).decode()}
    mine = RECOGNITIONS.c.interaction_id == interaction_id
    await session.execute(update(RECOGNITIONS).where(mine).values(**values))


async def of_code(session: AsyncSession, code: str) -> Recognition | None:
    """What was agreed to with the request this code answers."""
    joined = RECOGNITIONS.join(CODES, CODES.c.interaction_id == RECOGNITIONS.c.interaction_id)
    query = select(RECOGNITIONS).select_from(joined).where(CODES.c.code_hash == hashed(code))
    return _of_row((await session.execute(query)).one_or_none())


async def of_grant(session: AsyncSession, grant_id: str) -> Recognition | None:
    """What was agreed to last for this grant."""
    newest = RECOGNITIONS.c.created_at.desc()
    query = select(RECOGNITIONS).where(RECOGNITIONS.c.grant_id == grant_id).order_by(newest).limit(1)
    return _of_row((await session.execute(query)).one_or_none())


async def of_consent(session: AsyncSession, consent_id: str) -> Recognition | None:
    """What was agreed to last with a grant of this consent that has not ended."""
    joined = RECOGNITIONS.join(GRANTS, GRANTS.c.id == RECOGNITIONS.c.grant_id)
    living = (GRANTS.c.consent_id == consent_id) & GRANTS.c.revoked_at.is_(None) & (GRANTS.c.scope != "")
    query = select(RECOGNITIONS).select_from(joined).where(living)
    newest = query.order_by(RECOGNITIONS.c.created_at.desc()).limit(1)
    return _of_row((await session.execute(newest)).one_or_none())


def _of_row(row: Row[Any] | None) -> Recognition | None:
    if row is None:
        return None
    how = SignedIn(row.auth_time, row.acr, tuple(orjson.loads(row.amr)))
    return Recognition(row.subject_id, row.scope, how, row.nonce, orjson.loads(row.told), row.locale)
