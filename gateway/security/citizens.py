"""Sign-ins under way and who came back. All SQL of both; runs in the caller's transaction, never commits."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.repository import insert_or_keep
from consent.subjects import SubjectId, SubjectKeys
from gateway.errors import Language
from gateway.security.tables import CitizenRow, SignInRow

ATTEMPT_SECONDS = 600
_CITIZEN = CitizenRow.__table__  # type: ignore[attr-defined]
_SIGN_IN = SignInRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in under way: what must come back, to which browser, and where that browser goes then."""

    state_hash: str
    browser_hash: str
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    return_to: str
    language: Language
    since: int | None = None
    """Before which second the citizen must not have signed in at the provider."""


async def keep_sign_in(session: AsyncSession, sign_in: SignIn, *, at: int) -> None:
    """Remember a sign-in for ten minutes; forget those whose time has passed."""
    await session.execute(delete(_SIGN_IN).where(_SIGN_IN.c.expires_at <= at))
    await session.execute(
        insert(_SIGN_IN).values(
            state_hash=sign_in.state_hash,
            browser_hash=sign_in.browser_hash,
            nonce=sign_in.nonce,
            code_verifier=sign_in.code_verifier,
            return_to=sign_in.return_to,
            language=sign_in.language,
            since=sign_in.since,
            expires_at=at + ATTEMPT_SECONDS,
        )
    )


async def claim_sign_in(
    session: AsyncSession, *, state_hash: str, browser_hash: str, at: int
) -> SignIn | None:
    """Take the sign-in that this browser began, once; None if there is none (any more)."""
    mine = (_SIGN_IN.c.state_hash == state_hash) & (_SIGN_IN.c.browser_hash == browser_hash)
    taken = delete(_SIGN_IN).where(mine, _SIGN_IN.c.expires_at > at).returning(*_SIGN_IN.c)
    row = (await session.execute(taken)).one_or_none()
    if row is None:
        return None
    return SignIn(
        row.state_hash,
        row.browser_hash,
        row.nonce,
        row.code_verifier,
        row.return_to,
        cast("Language", row.language),
        row.since,
    )


def identity_hash(key: bytes, issuer: str, subject: str) -> str:
    """The keyed name under which a proven person is known: useless without the key, stable with it."""
    return hmac.digest(key, f"citizen\0{issuer}\0{subject}".encode(), hashlib.sha256).hex()


async def subject_of(session: AsyncSession, keys: SubjectKeys, identity: str) -> SubjectId:
    """The subject of a proven person, made at their first sign-in."""
    query = select(_CITIZEN.c.subject_id).where(_CITIZEN.c.identity_hash == identity)
    if known := (await session.execute(query)).scalar_one_or_none():
        return SubjectId(known)
    made = await keys.create(session)
    statement = insert_or_keep(session, _CITIZEN, "identity_hash")
    await session.execute(statement.values(identity_hash=identity, subject_id=made))
    return SubjectId((await session.execute(query)).scalar_one())


async def known(session: AsyncSession, identity: str) -> SubjectId | None:
    """The subject of a person who signed in once; None, and nobody is made, for anybody else."""
    query = select(_CITIZEN.c.subject_id).where(_CITIZEN.c.identity_hash == identity)
    found = (await session.execute(query)).scalar_one_or_none()
    return None if found is None else SubjectId(found)
