"""The rows decisions leave. Written once, never changed; only the sealed question may be erased."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel


class PolicyDecisionRow(SQLModel, table=True):
    """One decision. `codes`, `granted`, `withheld`, `obligations` are RFC 8785 JSON text."""

    __tablename__ = "policy_decision"
    __table_args__ = (Index("ix_policy_decision_client_at", "client_id", "at"),)

    id: str = Field(primary_key=True, max_length=36)
    at: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    request_id: str = Field(max_length=128, index=True)
    client_id: str = Field(max_length=128)
    consent_id: str = Field(max_length=128, index=True)
    consent_version: int
    allow: bool
    available: bool
    codes: str = Field(sa_column=Column(Text, nullable=False))
    granted: str = Field(sa_column=Column(Text, nullable=False))
    withheld: str = Field(sa_column=Column(Text, nullable=False))
    obligations: str = Field(sa_column=Column(Text, nullable=False))
    revision: str = Field(max_length=80)
    engine: str = Field(max_length=40)
    input_digest: str = Field(max_length=80)
    sealed_input: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
