"""Where a job that visits everything once has come to, and the latest moment the house has seen."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class RetentionCursorRow(SQLModel, table=True):
    """The last row a job visited, by its moment (epoch seconds) and id; moved with what the visit did."""

    __tablename__ = "retention_cursor"

    job: str = Field(primary_key=True, max_length=64)
    at: int = Field(sa_type=BigInteger)
    id: str = Field(default="", max_length=128)
