"""The table of citizens' requests for their own data. Instants: epoch seconds; names only, but `sealed`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from consent.tables import partial_index

WORK = text("state IN ('asked', 'pulling', 'ready', 'fetched') AND open_items > 0")
"""Requests of which something is still to come."""
OPEN_NOW = text("state IN ('asked', 'pulling')")
HOLDING = text("state IN ('ready', 'fetched')")
DONE = text("state IN ('refused', 'failed', 'cancelled', 'over')")


class SelfRequestRow(SQLModel, table=True):
    """A request to oneself (본인전송요구) as it is now. Moved only by compare-and-set on (id, version).

    `asked`, `received`, `obligations`: JSON. `digest` is of the items: the same thing is asked once at a
    time. `sealed` is what holders gave, under the citizen's key; emptied as soon as it has served.
    """

    __tablename__ = "self_request"
    __table_args__ = (
        Index("ix_self_request_subject", "subject_id", "asked_at", "id"),
        Index(
            "ux_self_request_open",
            "subject_id",
            "digest",
            unique=True,
            sqlite_where=OPEN_NOW,
            postgresql_where=OPEN_NOW,
        ),
        partial_index("ix_self_request_work", "lease_until", "id", where=WORK),
        partial_index("ix_self_request_held", "held_until", "id", where=HOLDING),
        partial_index("ix_self_request_over", "changed_at", "id", where=DONE),
    )

    id: str = Field(primary_key=True, max_length=40)
    subject_id: str = Field(max_length=64)
    digest: str = Field(max_length=64)
    state: str = Field(max_length=16)
    version: int
    verification: str = Field(max_length=128)
    purpose: str = Field(max_length=64)
    asked: str = Field(sa_type=Text)
    agent_role: str | None = Field(default=None, max_length=16)
    agent_method: str | None = Field(default=None, max_length=128)
    history_from: str | None = Field(default=None, max_length=10)
    asked_at: int = Field(sa_type=BigInteger)
    changed_at: int = Field(sa_type=BigInteger)
    end_at: int = Field(sa_type=BigInteger)
    decision_id: str = Field(max_length=64)
    revision: str = Field(max_length=128)
    obligations: str = Field(sa_type=Text)
    received: str = Field(sa_type=Text)
    open_items: int
    reason: str | None = Field(default=None, max_length=64)
    ground: str | None = Field(default=None, max_length=32)
    told_at: int | None = Field(default=None, sa_type=BigInteger)
    delayed_at: int | None = Field(default=None, sa_type=BigInteger)
    delay_reason: str | None = Field(default=None, max_length=64)
    solved_at: int | None = Field(default=None, sa_type=BigInteger)
    ready_at: int | None = Field(default=None, sa_type=BigInteger)
    fetched_at: int | None = Field(default=None, sa_type=BigInteger)
    held_until: int | None = Field(default=None, sa_type=BigInteger)
    lease_until: int = Field(default=0, sa_type=BigInteger)
    attempts: int = 0
    sealed: bytes = Field(default=b"", sa_type=LargeBinary)
