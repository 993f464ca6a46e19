"""The tables of consent. Instants are epoch seconds; `terms`, `asked`: `authorization_details`, UTF-8."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, LargeBinary, Table, Text, TextClause, text
from sqlmodel import Field, SQLModel

OPEN = text("state IN ('active', 'paused')")
"""Consents that may be in force: the present, indexed apart from what has ended.

Written out, not bound: a store uses a partial index only where it can see that the query asks for its part.
"""
OVER = text("state IN ('refused', 'withdrawing', 'withdrawn', 'revoked', 'expired', 'invalidated')")
"""Consents that ended by a move; one of `OPEN` may have ended too, by its `end_at`."""
PENDING = text("state IN ('requested', 'deferred')")
"""Asked and not answered yet."""
MANDATED = text("mandate IS NOT NULL")
"""Consents somebody else said yes to, for the citizen."""
WITHDRAWING = text("state = 'withdrawing'")
"""Withdrawn, and waiting for the parties to acknowledge."""
SENT = text("sent <> '[]'")


def partial_index(name: str, *columns: str, where: TextClause) -> Index:
    """An index of some rows only, on either store."""
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


class ConsentRow(SQLModel, table=True):
    """A consent as it is now. Moved only by compare-and-set on (id, version, state)."""

    __tablename__ = "consent"
    __table_args__ = (
        Index("ux_consent_request", "request_id", "subject_id", unique=True),
        Index("ix_consent_subject", "subject_id", "created_at", "id"),
        Index("ix_consent_client", "client_id", "changed_at", "id"),
        Index("ix_consent_client_state", "client_id", "state", "changed_at", "id"),
        Index("ix_consent_begun", "created_at", "id"),
        partial_index("ix_consent_open", "subject_id", "end_at", "id", where=OPEN),
        partial_index("ix_consent_runs_out", "end_at", "id", where=OPEN),
        partial_index("ix_consent_over", "changed_at", "id", where=OVER),
        partial_index("ix_consent_withdrawing", "changed_at", "id", where=WITHDRAWING),
        partial_index("ix_consent_pending", "created_at", "id", where=PENDING),
        partial_index("ix_consent_mandate", "mandate", "id", where=MANDATED),
    )

    id: str = Field(primary_key=True, max_length=32)
    subject_id: str = Field(max_length=64)
    client_id: str = Field(max_length=128)
    request_id: str = Field(max_length=128)
    state: str = Field(max_length=16)
    version: int
    purpose: str = Field(max_length=64)
    start_at: int = Field(sa_type=BigInteger)
    end_at: int = Field(sa_type=BigInteger)
    asked: bytes = Field(sa_type=LargeBinary)
    terms: bytes = Field(sa_type=LargeBinary)
    text_hash: str = Field(max_length=64, foreign_key="consent_text.hash")
    language: str = Field(max_length=2)
    created_at: int = Field(sa_type=BigInteger)
    changed_at: int = Field(sa_type=BigInteger)
    by: str = Field(default="citizen", max_length=16)
    why: str | None = Field(default=None, max_length=64)
    mandate: str | None = Field(default=None, max_length=40)
    verification: str | None = Field(default=None, max_length=128)


class ConsentVersionRow(SQLModel, table=True):
    """Every version a consent has had: one row a move, never changed."""

    __tablename__ = "consent_version"

    consent_id: str = Field(primary_key=True, max_length=32, foreign_key="consent.id")
    version: int = Field(primary_key=True)
    move: str = Field(max_length=16)
    state: str = Field(max_length=16)
    terms: bytes = Field(sa_type=LargeBinary)
    text_hash: str = Field(max_length=64)
    language: str = Field(max_length=2)
    at: int = Field(sa_type=BigInteger)
    by: str = Field(default="citizen", max_length=16)
    why: str | None = Field(default=None, max_length=64)


class ConsentTextRow(SQLModel, table=True):
    """A text as it was shown, by the SHA-256 of its UTF-8 bytes (hex). It names no citizen."""

    __tablename__ = "consent_text"

    hash: str = Field(primary_key=True, max_length=64)
    version: str = Field(max_length=32)
    language: str = Field(max_length=2)
    body: str = Field(sa_type=Text)
    first_at: int = Field(sa_type=BigInteger)


class ConsortiumRow(SQLModel, table=True):
    """A consortium (컨소시엄): who may ask whom for what, under which contract, from when until when."""

    __tablename__ = "consortium"

    id: str = Field(primary_key=True, max_length=64)
    contract: str = Field(max_length=256)
    holders: str = Field(sa_type=Text)
    recipients: str = Field(sa_type=Text)
    sectors: str = Field(sa_type=Text)
    purposes: str = Field(sa_type=Text)
    start_at: int = Field(sa_type=BigInteger)
    end_at: int = Field(sa_type=BigInteger)
    changed_at: int = Field(sa_type=BigInteger)


class HolderLinkRow(SQLModel, table=True):
    """The sealed link by which one holder knows one citizen; opened only with the gateway's link key."""

    __tablename__ = "holder_link"

    subject_id: str = Field(primary_key=True, max_length=64)
    holder: str = Field(primary_key=True, max_length=64)
    sealed: bytes = Field(sa_type=LargeBinary)
    made_at: int = Field(sa_type=BigInteger, index=True)


class TransferItemOutcomeRow(SQLModel, table=True):
    """What became of one item in one transfer: asked, sent, withheld and why. Names only, never a value.

    `asked` and `sent` are JSON lists of field ids, `withheld` a JSON object of field id to reason code. The
    recipient first fetched it at `received_at` (Decree 42-6(11)2).
    """

    __tablename__ = "transfer_item_outcome"
    __table_args__ = (
        Index("ix_outcome_consent", "consent_id", "at", "transfer_id"),
        Index("ix_outcome_item", "consent_id", "item", "at"),
        partial_index("ix_outcome_sent", "consent_id", "at", where=SENT),
    )

    transfer_id: str = Field(primary_key=True, max_length=64)
    item: str = Field(primary_key=True, max_length=160)
    consent_id: str = Field(max_length=32, foreign_key="consent.id")
    asked: str = Field(sa_type=Text)
    sent: str = Field(sa_type=Text)
    withheld: str = Field(sa_type=Text)
    records: int = Field(sa_type=BigInteger)
    outcome: str = Field(max_length=16)
    reason: str | None = Field(default=None, max_length=64)
    article: str | None = Field(default=None, max_length=128)
    at: int = Field(sa_type=BigInteger)
    received_at: int | None = Field(default=None, sa_type=BigInteger)


def table_of(row: type[SQLModel]) -> Table:
    """The Core table behind a row class, for hand-written statements."""
    return SQLModel.metadata.tables[str(row.__tablename__)]


def tables_of(*rows: type[SQLModel]) -> tuple[Table, ...]:
    """The Core tables behind row classes."""
    return tuple(table_of(row) for row in rows)
