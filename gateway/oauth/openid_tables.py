"""What is kept of a citizen's agreement to be recognised by a client. Goes with its grant."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Text, text
from sqlmodel import Field, SQLModel

from consent.tables import partial_index

STRAY = text("grant_id IS NULL")
"""Answers no grant was made of."""


class RecognitionRow(SQLModel, table=True):
    """One answer of a citizen to a request with the scope `openid`, and the sign-in it was given in.

    `grant_id` is set when the request is settled. `told` is a JSON object: claim to where it may be told.
    `auth_time` is epoch seconds as the identity provider said; `amr` a JSON list. No name, no contact.
    """

    __tablename__ = "oauth_recognition"
    __table_args__ = (partial_index("ix_recognition_stray", "created_at", where=STRAY),)

    interaction_id: str = Field(primary_key=True)
    grant_id: str | None = Field(default=None, index=True)
    client_id: str
    subject_id: str = Field(index=True)
    scope: str
    nonce: str | None = None
    auth_time: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    acr: str | None = None
    amr: str = Field(sa_column=Column(Text, nullable=False))
    told: str = Field(sa_column=Column(Text, nullable=False))
    locale: str | None = None
    created_at: int = Field(sa_column=Column(BigInteger, nullable=False))
