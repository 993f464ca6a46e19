"""What the JSON doors say: the wire types, separate from tables and records."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TransferAsk(BaseModel):
    """Ask for a transfer of everything the grant covers, or of the named items only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: tuple[str, ...] | None = Field(
        default=None, max_length=64, description="Items as HOLDER/DATASET; absent: all the grant covers."
    )
    kind: Literal["user", "scheduled"] = Field(
        default="user", description="Whether the citizen waits for it, or it runs on a schedule."
    )


class ReasonedItem(BaseModel):
    """One item with why it is withheld: a stable code, the article, and the words of it."""

    item: str
    code: str
    article: str = ""
    text: str = ""


class TransferDecision(BaseModel):
    """What policy decided."""

    id: str
    allow: bool
    engine: str
    revision: str
    granted: list[str]
    withheld: list[ReasonedItem]
    obligations: list[dict[str, object]]


class ItemOutcome(BaseModel):
    """What became of one item: asked, sent, missing and why. Names only, never a value."""

    item: str
    asked: list[str]
    sent: list[str]
    withheld: dict[str, str]
    records: int
    outcome: str
    reason: str | None = None
    article: str | None = None


class TransferStatus(BaseModel):
    """How far a transfer is."""

    id: str
    state: str
    consent_id: str
    consent_version: int
    reason: str = ""
    decision: TransferDecision
    items: list[ItemOutcome] = []
    bundle: str | None = Field(default=None, description="Where to download the bundle, once state is ready.")
