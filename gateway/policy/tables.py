"""The rows decisions leave, the policies they were made on, and which of those was in force when.

Decisions and activations are written once and never changed; only the sealed question may be erased. A bundle
gets its approval later, once. Bundles are kept so that any decision can be made again on its own revision.
"""

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
    eval_us: int = Field(default=0, sa_type=BigInteger)
    input_digest: str = Field(max_length=80)
    sealed_input: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class PolicyBundleRow(SQLModel, table=True):
    """One revision of the policy: its very bytes, who built it and who approved it (two people).

    `opa_signature` is the approver's over the files, as OPA verifies it. `archive` is the OPA bundle (tar.gz)
    whose contents give `revision`. A shipped policy has no signatures.
    """

    __tablename__ = "policy_bundle"

    revision: str = Field(primary_key=True, max_length=80)
    archive: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    checked_by: str = Field(default="", max_length=40)
    built_by: str = Field(max_length=64)
    built_at: int = Field(sa_type=BigInteger)
    built_signature: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    approved_by: str | None = Field(default=None, max_length=64)
    approved_at: int | None = Field(default=None, sa_type=BigInteger)
    approved_signature: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    opa_signature: str | None = Field(default=None, sa_column=Column(Text, nullable=True))


class PolicyActivationRow(SQLModel, table=True):
    """One revision was put into force. The last row names the one in force."""

    __tablename__ = "policy_activation"

    n: int | None = Field(default=None, primary_key=True)
    revision: str = Field(max_length=80, foreign_key="policy_bundle.revision")
    activated_by: str = Field(max_length=64)
    at: int = Field(sa_type=BigInteger)
