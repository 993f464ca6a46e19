"""Grants, codes and refresh tokens: the records the doors decide on, and the repository that keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth.consents import COLUMNS, CONSENT, LiveConsent
from gateway.oauth.tables import AuthorizationCodeRow, GrantRow, RefreshTokenRow

CODES = AuthorizationCodeRow.__table__  # type: ignore[attr-defined]
GRANTS = GrantRow.__table__  # type: ignore[attr-defined]
REFRESH = RefreshTokenRow.__table__  # type: ignore[attr-defined]


def hashed(secret: str) -> bytes:
    """What is kept of a code or token: 128 random bits and more need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Grant:
    """An authorization together with its live consent. `details` are what the citizen granted.

    What ends every token of a grant but not the grant raises its `generation`. `resources`: see the table.
    """

    id: str
    client_id: str
    subject_id: str
    consent_id: str
    consent_version: int
    scope: str
    details: list[dict[str, Any]]
    revoked: bool
    consent: LiveConsent
    generation: int = 1
    resources: str = ""

    def refusal(self, now: int, *, version: int | None = None, generation: int | None = None) -> str | None:
        """Why this grant gives nothing now.

        `version` is the consent version, `generation` that of the grant, a code or token was made for.
        """
        if self.revoked:
            return "grant_revoked"
        if dead := self.consent.refusal(now):
            return dead
        if generation not in (None, self.generation):
            return "token_superseded"
        wanted = self.consent_version if version is None else version
        return None if wanted == self.consent.version else "consent_changed"

    def refusal_of(self, claims: Mapping[str, Any], now: int) -> str | None:
        """Why the access token with these claims gives nothing now."""
        return self.refusal(now, version=claims["consent_version"], generation=claims["grant_generation"])


@dataclass(frozen=True, slots=True)
class Code:
    """An issued authorization code (Authlib's `AuthorizationCodeMixin` by shape)."""

    client_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    dpop_jkt: str | None
    expires_at: int
    used: bool
    grant: Grant
    generation: int = 1
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        """Where the code was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """The granted scope."""
        return self.scope


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token (Authlib's `TokenMixin` by shape); never rotated."""

    client_id: str
    jkt: str
    expires_at: int
    revoked: bool
    grant: Grant
    generation: int = 1

    def get_scope(self) -> str:
        """The granted scope."""
        return self.grant.scope

    def check_client(self, client: Any) -> bool:
        """Whether it was issued to this client."""
        return bool(self.client_id == client.id)


_GRANT_COLUMNS = (*GRANTS.c, *COLUMNS[1:])


def grant_of(row: Row[Any]) -> Grant:
    """The grant of a row that selects GRANT columns and consent columns."""
    at = row._mapping
    consent = LiveConsent(
        at[GRANTS.c.consent_id], at["consent_state"], at["consent_now"], at["consent_end_at"]
    )
    return Grant(
        id=at[GRANTS.c.id],
        client_id=at[GRANTS.c.client_id],
        subject_id=at[GRANTS.c.subject_id],
        consent_id=at[GRANTS.c.consent_id],
        consent_version=at[GRANTS.c.consent_version],
        scope=at[GRANTS.c.scope],
        details=orjson.loads(at[GRANTS.c.details]),
        revoked=at[GRANTS.c.revoked_at] is not None,
        consent=consent,
        generation=at[GRANTS.c.generation],
        resources=at[GRANTS.c.resources],
    )


async def find_grant(session: AsyncSession, grant_id: str, *, hold: bool = False) -> Grant | None:
    """The grant with its live consent; one query on two primary keys.

    With `hold` nobody else can move the consent until the transaction ends.
    """
    joined = GRANTS.join(CONSENT, CONSENT.c.id == GRANTS.c.consent_id)
    query = select(*_GRANT_COLUMNS).select_from(joined).where(GRANTS.c.id == grant_id)
    if hold:
        query = query.with_for_update(read=True, of=CONSENT)
    row = (await session.execute(query)).one_or_none()
    return grant_of(row) if row else None


async def refusal_now(session: AsyncSession, grant: Grant, *, at: int) -> str | None:
    """Why `grant`, as it was read before this transaction, gives nothing any more; held while it does."""
    live = await find_grant(session, grant.id, hold=True)
    if live is None:
        return "grant_revoked"
    return live.refusal(at, version=grant.consent_version, generation=grant.generation)


async def find_code(session: AsyncSession, code: str) -> Code | None:
    """The code with its grant and live consent, used or not."""
    row = (await session.execute(select(CODES).where(CODES.c.code_hash == hashed(code)))).one_or_none()
    grant = await find_grant(session, row.grant_id) if row else None
    if row is None or grant is None:
        return None
    used, jkt = row.used_at is not None, row.dpop_jkt
    return Code(
        row.client_id, row.redirect_uri, row.scope, row.code_challenge, jkt, row.expires_at, used, grant,
        row.grant_generation,
    )  # fmt: skip


async def find_refresh(session: AsyncSession, token: str) -> RefreshToken | None:
    """The refresh token with its grant and live consent, revoked or not."""
    row = (await session.execute(select(REFRESH).where(REFRESH.c.token_hash == hashed(token)))).one_or_none()
    grant = await find_grant(session, row.grant_id) if row else None
    if row is None or grant is None:
        return None
    revoked, generation = row.revoked_at is not None, row.grant_generation
    return RefreshToken(row.client_id, row.jkt, row.expires_at, revoked, grant, generation)


async def claim_code(session: AsyncSession, code: str, *, at: int) -> bool:
    """Use the code up. Of any number at once exactly one gets True; never after its expiry."""
    unused = (CODES.c.code_hash == hashed(code)) & CODES.c.used_at.is_(None) & (CODES.c.expires_at > at)
    claimed = update(CODES).where(unused).values(used_at=at).returning(CODES.c.grant_id)
    return (await session.execute(claimed)).one_or_none() is not None


async def keep_refresh(session: AsyncSession, token: str, grant: Grant, *, jkt: str, at: int) -> None:
    """Remember a new refresh token of `grant`; it ends with the consent."""
    await session.execute(
        insert(REFRESH).values(
            token_hash=hashed(token), grant_id=grant.id, grant_generation=grant.generation,
            client_id=grant.client_id, jkt=jkt, created_at=at, expires_at=grant.consent.end_at,
        )
    )  # fmt: skip


async def follow_consent(
    session: AsyncSession, consent_id: str, version: int, details: list[dict[str, Any]], *, at: int
) -> None:
    """Let the grants of a narrowed consent follow it, in the transaction that narrowed it.

    Access tokens of the earlier version are dead; the refresh token then gives the narrowed details.
    """
    text = orjson.dumps(details).decode()
    alive = (GRANTS.c.consent_id == consent_id) & GRANTS.c.revoked_at.is_(None)
    narrowed = {"consent_version": version, "details": text, "updated_by": "authorization_server"}
    await session.execute(update(GRANTS).where(alive).values(**narrowed, updated_at=at))
