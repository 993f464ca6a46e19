"""Tables of citizen sessions and of sign-ins under way. Only hashes of what a browser holds are kept."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlmodel import Field, SQLModel


class CitizenSessionRow(SQLModel, table=True):
    """One signed-in browser. Deleted at sign-out; dead after `expires_at`."""

    __tablename__ = "citizen_session"

    id_hash: str = Field(primary_key=True, sa_type=String(43))
    subject_id: str = Field(sa_type=String(64), index=True)
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger, index=True)
    language: str = Field(sa_type=String(2))
    age_band: str = Field(sa_type=String(8))


class SignInRow(SQLModel, table=True):
    """One sign-in sent to the identity provider, claimed once when the citizen comes back."""

    __tablename__ = "citizen_sign_in"

    state_hash: str = Field(primary_key=True, sa_type=String(43))
    browser_hash: str = Field(sa_type=String(43))
    nonce: str = Field(sa_type=String(43))
    code_verifier: str = Field(sa_type=String(64))
    return_to: str = Field(sa_type=String(512))
    language: str = Field(sa_type=String(2))
    expires_at: int = Field(sa_type=BigInteger, index=True)


class CitizenAgeRow(SQLModel, table=True):
    """The age the identity provider told, sealed under the citizen's own key (`gateway.security.ages`)."""

    __tablename__ = "citizen_age"

    subject_id: str = Field(primary_key=True, sa_type=String(64))
    sealed: bytes
    told_at: int = Field(sa_type=BigInteger)
