"""Every pull from a holder, as statistics need it: whom, what, how it ended, how long it took. Names nobody.

One row a dataset pulled for one transfer, written in the transaction that releases the transfer: a transfer
done again after a crash is counted once.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import BigInteger, Index
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from connectors.contract import Outcome
from connectors.runtime import Pulled
from consent.repository import insert_or_keep
from consent.tables import table_of
from gateway.transfers.tables import TransferRow

SUCCESS = "ok"
"""The code of a pull that brought all there was."""


class HolderCallRow(SQLModel, table=True):
    """One dataset pulled once, named by transfer and item.

    `kind` is the transfer's, `code` `ok` or the reason of the first gap. `at` is when the pull began (epoch
    seconds), `ms` how long it took, `requests` how many it needed.
    """

    __tablename__ = "holder_call"
    __table_args__ = (Index("ix_holder_call_at", "at", "holder"),)

    id: str = Field(primary_key=True, max_length=240)
    holder: str = Field(max_length=64)
    dataset: str = Field(max_length=96)
    kind: str = Field(max_length=16)
    code: str = Field(max_length=64)
    at: int = Field(sa_type=BigInteger)
    ms: int = Field(sa_type=BigInteger)
    requests: int


async def count(session: AsyncSession, transfer: TransferRow, pulled: Mapping[str, Pulled]) -> None:
    """Keep one row for each pull of `transfer`, in the caller's transaction; twice is once."""
    table = table_of(HolderCallRow)
    for item, one in pulled.items():
        values = {
            "id": f"{transfer.id}/{item}",
            "holder": one.holder,
            "dataset": one.dataset,
            "kind": transfer.kind,
            "code": code_of(one),
            "at": int(one.started.timestamp()),
            "ms": milliseconds(one),
            "requests": one.requests,
        }
        await session.execute(insert_or_keep(session, table, "id").values(**values))


def code_of(pulled: Pulled) -> str:
    """How a pull ended, in one word: `ok`, or the reason of the first thing missing."""
    if pulled.outcome in (Outcome.COMPLETE, Outcome.EMPTY):
        return SUCCESS
    return pulled.gaps[0].reason.value if pulled.gaps else pulled.outcome.value


def milliseconds(pulled: Pulled) -> int:
    """How long a pull took; never less than nothing, whatever the clock did."""
    return max(0, round((pulled.ended - pulled.started).total_seconds() * 1000))
