"""Everything another intermediary needs to take this gateway over (Decree 42-12(7)), as one folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from consent.catalogue.strict_yaml import read
from consent.receipts import Sign
from gateway.disclosure.folder import Folder
from gateway.disclosure.reading import rows_of
from gateway.ledger.export import export

SCHEMA = "mydata-takeover/1"


@dataclass(frozen=True, slots=True)
class Handed:
    """How the rows of one table go: `json` holds JSON text, `without` stays behind."""

    json: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@cache
def handed() -> dict[str, Handed]:
    """What goes, by table."""
    found = read(resources.files("gateway.disclosure") / "takeover.yaml")["handed"]
    return {table: Handed(**{name: tuple(of) for name, of in how.items()}) for table, how in found.items()}


@cache
def left() -> dict[str, str]:
    """What stays, by table, and why."""
    return dict(read(resources.files("gateway.disclosure") / "takeover.yaml")["left"])


async def takeover(
    session: AsyncSession, place: Path, *, issuer: str, at: int, sign: Sign, cosigned_at: int | None = None
) -> dict[str, Any]:
    """Write the records and the published log to `place`; the signed list of what was written.

    `session` reads one snapshot. With `cosigned_at` the log's checkpoint is the one with its witnesses.
    Entries that wait for the log go beside it (`ledger_outbox`). Raises Problem `ledger_export_not_empty`, or
    `not_found` before the first checkpoint.
    """
    folder = Folder(place)
    entries = await export(session, place / "ledger", now=cosigned_at)
    for name, how in handed().items():
        table = SQLModel.metadata.tables[name]
        await folder.write(name, rows_of(session, table, json_in=how.json, without=how.without))
    about = {"schema": SCHEMA, "issuer": issuer, "at": at, "entries": entries, "left": left()}
    return folder.close(about, sign)
