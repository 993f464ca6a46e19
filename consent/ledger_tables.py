"""The ledger's tables. The log itself is `ledger_entry`; tiles and head are derived from it and checkable.

ledger_outbox      entries committed with the change they record, waiting for the sequencer
ledger_payload     what an entry commits to, sealed under the citizen's key; deleted on erasure
ledger_entry       the log: position, entry bytes
ledger_tile        full hash tiles, never changed
ledger_head        one row: size, root, right edge, the shard's origin
ledger_statement   what the log says of itself: shards opened, entries removed; opened for everybody
ledger_checkpoint  one row: the last signed checkpoint; its size only grows
ledger_witness     what each witness last said: the size it knows, its line over it, or why there is none
ledger_census      one row: how many events each citizen had at the last census
ledger_index       what entries say, to search by; untrusted: rebuilt from the log at any time
ledger_cosigned    one row: the last checkpoint that enough witnesses cosigned, and since when that is too old
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

_Counter = BigInteger().with_variant(Integer(), "sqlite")


class LedgerOutbox(SQLModel, table=True):
    """An entry that is promised but has no position yet. `at` is epoch seconds."""

    __tablename__ = "ledger_outbox"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True, sa_type=_Counter)
    entry: bytes
    at: int = Field(sa_type=BigInteger)


class LedgerPayload(SQLModel, table=True):
    """The opening of one entry: sealed for a citizen's event, plain with its own salt for any other."""

    __tablename__ = "ledger_payload"
    __table_args__ = (UniqueConstraint("subject", "n"),)

    outbox_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    subject: str | None = Field(default=None, max_length=40)
    n: int | None = Field(default=None, sa_type=BigInteger)
    idem: str | None = Field(default=None, unique=True, max_length=200)
    leaf: bytes
    tag: bytes | None = None
    salt: bytes | None = None
    body: bytes


class LedgerEntry(SQLModel, table=True):
    """One entry of the log at its position, and the outbox row it came from."""

    __tablename__ = "ledger_entry"

    position: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    outbox_id: int = Field(unique=True, sa_type=BigInteger)
    entry: bytes


class LedgerTile(SQLModel, table=True):
    """A full tile: 256 hashes."""

    __tablename__ = "ledger_tile"

    level: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    data: bytes


class LedgerHead(SQLModel, table=True):
    """The tree as the sequencer left it, and the origin of its present shard; the only row has id 1."""

    __tablename__ = "ledger_head"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    size: int = Field(sa_type=BigInteger)
    root: bytes
    edge: bytes
    origin: str = Field(default="", max_length=200)


class LedgerStatement(SQLModel, table=True):
    """An entry by which the log speaks of itself (a shard opened, entries removed), and its opening."""

    __tablename__ = "ledger_statement"

    position: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    entry: bytes
    salt: bytes
    body: bytes


class LedgerCheckpoint(SQLModel, table=True):
    """The last signed checkpoint, and the log's second (ML-DSA-44) signature line; the only row has id 1."""

    __tablename__ = "ledger_checkpoint"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    size: int = Field(sa_type=BigInteger)
    note: str
    second: str = ""


class LedgerWitness(SQLModel, table=True):
    """One witness of the policy: `at` is when it last cosigned (epoch seconds), `reason` why it did not."""

    __tablename__ = "ledger_witness"

    name: str = Field(primary_key=True, max_length=200)
    size: int = Field(default=0, sa_type=BigInteger)
    line: str | None = None
    at: int = Field(default=0, sa_type=BigInteger)
    reason: str | None = Field(default=None, max_length=200)


class LedgerIndex(SQLModel, table=True):
    """One entry by time, kind and party. Holds nothing the entry does not say."""

    __tablename__ = "ledger_index"
    __table_args__ = (
        Index("ledger_index_party", "party", "kind", "position"),
        Index("ledger_index_at", "at", "position"),
    )

    position: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    at: int = Field(sa_type=BigInteger)
    kind: str = Field(max_length=64)
    party: str = Field(max_length=128)


class LedgerCensus(SQLModel, table=True):
    """The last census: over how many entries, the position of its own entry, and everybody's count."""

    __tablename__ = "ledger_census"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    size: int = Field(sa_type=BigInteger)
    position: int = Field(sa_type=BigInteger)
    members: bytes


class LedgerCosigned(SQLModel, table=True):
    """The last checkpoint with a quorum, lines and all; `missing_since`: when newer ones began to lack it."""

    __tablename__ = "ledger_cosigned"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    size: int = Field(default=0, sa_type=BigInteger)
    note: str | None = None
    at: int = Field(default=0, sa_type=BigInteger)
    missing_since: int | None = Field(default=None, sa_type=BigInteger)


OUTBOX = SQLModel.metadata.tables["ledger_outbox"]
PAYLOAD = SQLModel.metadata.tables["ledger_payload"]
ENTRY = SQLModel.metadata.tables["ledger_entry"]
TILE = SQLModel.metadata.tables["ledger_tile"]
STATEMENT = SQLModel.metadata.tables["ledger_statement"]
HEAD = SQLModel.metadata.tables["ledger_head"]
CHECKPOINT = SQLModel.metadata.tables["ledger_checkpoint"]
INDEX = SQLModel.metadata.tables["ledger_index"]
CENSUS = SQLModel.metadata.tables["ledger_census"]
WITNESS = SQLModel.metadata.tables["ledger_witness"]
COSIGNED = SQLModel.metadata.tables["ledger_cosigned"]
