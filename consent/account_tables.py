"""Tables of accounts: the lists shown with a question, and the masked names of accounts that were chosen.

Neither holds an account's number: a reference (`consent.accounts`), and names sealed under the citizen's key.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlmodel import Field, SQLModel


class AccountListRow(SQLModel, table=True):
    """The accounts a holder listed for one question, or why it did not. Gone soon after the question.

    `id` is question and place, `place` `HOLDER/FIELD`; `sealed` is a JSON array of reference, masked name and
    why one cannot be chosen.
    """

    __tablename__ = "account_list"

    id: str = Field(primary_key=True, sa_type=String(280))
    interaction_id: str = Field(sa_type=String(64), index=True)
    place: str = Field(sa_type=String(200))
    subject_id: str = Field(sa_type=String(64), index=True)
    missing: str | None = Field(default=None, sa_type=String(64))
    sealed: bytes
    listed_at: int = Field(sa_type=BigInteger)
    ends_at: int = Field(sa_type=BigInteger, index=True)


class AccountLabelRow(SQLModel, table=True):
    """The masked name of an account that was chosen once, for the citizen's own pages."""

    __tablename__ = "account_label"

    subject_id: str = Field(primary_key=True, sa_type=String(64))
    ref: str = Field(primary_key=True, sa_type=String(26))
    holder: str = Field(sa_type=String(64))
    sealed: bytes
    made_at: int = Field(sa_type=BigInteger)
