"""What is kept for the public: counts of answers by month, and what was published, for ever as it was."""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel


class QuestionnaireCountRow(SQLModel, table=True):
    """So many answers of one kind to one question in one Korean month (`2026-10`). It names nobody."""

    __tablename__ = "questionnaire_count"

    month: str = Field(primary_key=True, max_length=7)
    kind: str = Field(primary_key=True, max_length=16)
    question: str = Field(primary_key=True, max_length=16)
    answer: str = Field(primary_key=True, max_length=16)
    number: int = Field(sa_type=BigInteger)


class PublicationRow(SQLModel, table=True):
    """What was published about one month, byte for byte. Written once, never changed, never deleted."""

    __tablename__ = "publication"

    about: str = Field(primary_key=True, max_length=16)
    month: str = Field(primary_key=True, max_length=7)
    body: bytes = Field(sa_type=LargeBinary)
    day: str = Field(max_length=10)
