"""What a transfer (전송) is in the store: the SQL row is the truth (state, lease, cursor)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from consent.tables import partial_index

UNDER_WAY = text("state IN ('accepted', 'pulling', 'sealed')")
"""`states.UNFINISHED`, written out so that a store can see that a query asks for the part it indexed."""
DELAYED = text("delayed_at IS NOT NULL AND solved_at IS NULL")
"""Told to be late and not yet told to go on."""
NOT_ENDED = text("state = 'waiting'")
NOT_EMPTIED = text("length(sealed) > 0")


class TransferRow(SQLModel, table=True):
    """One transfer that policy allowed, from being asked for to delivery.

    `id` is made from client, consent and idempotency key, so that a retry finds this row. The citizen was
    told of a delay at `delayed_at`, and at `solved_at` that it goes on (Decree 42-6(1)).
    """

    __tablename__ = "transfer"
    __table_args__ = (
        partial_index("ix_transfer_under_way", "consent_id", where=UNDER_WAY),
        partial_index("ix_transfer_delayed", "id", where=DELAYED),
        Index("ix_transfer_created", "created_at", "id"),
        Index("ix_transfer_of_client", "client_id", "created_at", "id"),
    )

    id: str = Field(primary_key=True, max_length=64)
    client_id: str = Field(index=True, max_length=64)
    grant_id: str = Field(max_length=64)
    consent_id: str = Field(index=True, max_length=64)
    consent_version: int
    subject_id: str = Field(max_length=64)
    idempotency_key: str = Field(max_length=128)
    state: str = Field(max_length=16)
    decision_id: str = Field(max_length=64)
    plan: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    outcome: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    reason: str = Field(default="", max_length=64)
    bundle_id: str | None = Field(default=None, max_length=64)
    created_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    changed_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    lease_until: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    attempts: int = 0
    kind: str = Field(default="user", max_length=16)
    delayed_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    delay_reason: str | None = Field(default=None, max_length=32)
    solved_at: int | None = Field(default=None, sa_column=Column(BigInteger))


class BundleRow(SQLModel, table=True):
    """A sealed bundle waiting for its recipient. `sealed` is ciphertext only its recipient can open."""

    __tablename__ = "bundle"
    __table_args__ = (partial_index("ix_bundle_stale", "expires_at", "id", where=NOT_EMPTIED),)

    id: str = Field(primary_key=True, max_length=64)
    transfer_id: str = Field(unique=True, max_length=64)
    client_id: str = Field(max_length=64)
    consent_id: str = Field(index=True, max_length=64)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    manifest_hash: str = Field(max_length=80)
    created_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    expires_at: int = Field(sa_column=Column(BigInteger, nullable=False))


class ListAuthorizationRow(SQLModel, table=True):
    """An authorization to list a citizen's accounts at one holder; kept until the holder knows it is over.

    `consent_id` is what the question is called there. Its end is told at `next_at`: when the question's time
    is over, or once it is answered.
    """

    __tablename__ = "list_authorization"
    __table_args__ = (partial_index("ix_list_authorization_due", "next_at", "id", where=NOT_ENDED),)

    id: str = Field(primary_key=True, max_length=160)
    interaction_id: str = Field(index=True, max_length=64)
    consent_id: str = Field(max_length=64)
    subject_id: str = Field(max_length=64)
    holder: str = Field(max_length=64)
    state: str = Field(max_length=16)
    attempts: int = 0
    opened_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    next_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    ended_at: int | None = Field(default=None, sa_column=Column(BigInteger, index=True))


class HolderNoticeRow(SQLModel, table=True):
    """A consent ended or changed and a holder must be told; kept until it acknowledged."""

    __tablename__ = "holder_notice"
    __table_args__ = (UniqueConstraint("consent_id", "version", "holder"),)

    id: int | None = Field(default=None, primary_key=True)
    consent_id: str = Field(index=True, max_length=64)
    subject_id: str = Field(max_length=64)
    version: int
    holder: str = Field(max_length=64)
    event: str = Field(max_length=16)
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    state: str = Field(default="waiting", index=True, max_length=16)
    attempts: int = 0
    next_at: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
