"""Tables of citizen sessions and of sign-ins under way. Only hashes of what a browser holds are kept."""

from __future__ import annotations

from sqlalchemy import BigInteger, String, Text
from sqlmodel import Field, SQLModel


class CitizenSessionRow(SQLModel, table=True):
    """One signed-in browser. Deleted at sign-out; dead after `expires_at`.

    `unavailable` is a JSON object: holder id to the code of why no link could be made at sign-in.
    `auth_time`, `acr` and `amr` (a JSON list) are what the identity provider said of the sign-in.
    """

    __tablename__ = "citizen_session"

    id_hash: str = Field(primary_key=True, sa_type=String(43))
    subject_id: str = Field(sa_type=String(64), index=True)
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger, index=True)
    language: str = Field(sa_type=String(2))
    age_band: str = Field(sa_type=String(8))
    unavailable: str = Field(sa_type=Text)
    auth_time: int | None = Field(default=None, sa_type=BigInteger)
    acr: str | None = Field(default=None, sa_type=String(255))
    amr: str = Field(default="[]", sa_type=Text)


class CitizenRow(SQLModel, table=True):
    """Which subject a person is whom an identity provider proved: a keyed hash of (issuer, sub), no more."""

    __tablename__ = "citizen"

    identity_hash: str = Field(primary_key=True, sa_type=String(64))
    subject_id: str = Field(sa_type=String(64), unique=True)


class SignInRow(SQLModel, table=True):
    """One sign-in sent to the identity provider, claimed once when the citizen comes back.

    `since`: the citizen must have signed in at the provider at or after this second; none: whenever.
    """

    __tablename__ = "citizen_sign_in"

    state_hash: str = Field(primary_key=True, sa_type=String(43))
    browser_hash: str = Field(sa_type=String(43))
    nonce: str = Field(sa_type=String(43))
    code_verifier: str = Field(sa_type=String(64))
    return_to: str = Field(sa_type=String(512))
    language: str = Field(sa_type=String(2))
    since: int | None = Field(default=None, sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger, index=True)
