"""The tables of endings: who was told and has acknowledged, and what was instructed to be deleted."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field, SQLModel


class EndingPartyRow(SQLModel, table=True):
    """One party of a consent that ended by a move, a holder or the recipient: whether it has heard of it."""

    __tablename__ = "ending_party"

    consent_id: str = Field(primary_key=True, max_length=32, foreign_key="consent.id")
    kind: str = Field(primary_key=True, max_length=16)
    party: str = Field(primary_key=True, max_length=128)
    told_at: int = Field(sa_type=BigInteger)
    deadline_at: int = Field(sa_type=BigInteger)
    answer: str = Field(default="waiting", max_length=16)
    answered_at: int | None = Field(default=None, sa_type=BigInteger)


class DeletionInstructionRow(SQLModel, table=True):
    """A citizen's instruction to a recipient to delete what it received; `certificate` is its signed answer.

    `certificate` is the JWS as it came, `certificate_sha256` the hash (hex) that stands in the ledger.
    """

    __tablename__ = "deletion_instruction"
    __table_args__ = (Index("ux_deletion_instruction", "consent_id", "party", unique=True),)

    id: str = Field(primary_key=True, max_length=40)
    consent_id: str = Field(max_length=32, foreign_key="consent.id")
    party: str = Field(max_length=128)
    asked_at: int = Field(sa_type=BigInteger)
    deadline_at: int = Field(sa_type=BigInteger)
    certificate: str | None = Field(default=None, sa_type=Text)
    certificate_sha256: str | None = Field(default=None, max_length=64)
    certified_at: int | None = Field(default=None, sa_type=BigInteger)
