"""Publishing a month: once, for ever. The counts are hidden (`hiding`), kept as bytes, and never drawn again.

A second drawing of the same month would let its noise be averaged away: whoever comes second finds the first.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.calendar import korean_day_of
from consent.canonical import canonical
from consent.catalogue import Catalogue
from consent.events import Event
from consent.journal import Journal
from consent.repository import insert_or_keep
from consent.tables import table_of
from gateway.awareness import answers, use
from gateway.awareness.hiding import RULE, STEP, Below, published
from gateway.awareness.tables import PublicationRow
from gateway.awareness.use import Cell
from gateway.awareness.window import Month
from gateway.database import Database

ABOUT = ("questionnaire", "use")
_TABLE = table_of(PublicationRow)


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes: the journal, and the operator's code in the ledger."""

    journal: Journal
    party: str

    async def enter(self, session: AsyncSession, month: Month, hashes: Mapping[str, str], at: int) -> None:
        """Say in the ledger which month was published, and the SHA-256 of each body."""
        await self.journal.append(
            session,
            Event.STATISTICS_MONTH_PUBLISHED,
            subject=None,
            party=self.party,
            payload={"month": month.name, "sha256": dict(hashes)},
            at=at,
            idem=f"{Event.STATISTICS_MONTH_PUBLISHED.value}/{month.name}",
        )


async def publish(
    database: Database,
    said: Publisher,
    catalogue: Catalogue,
    month: Month,
    now: int,
    below: Below = secrets.randbelow,
) -> bool:
    """Publish `month` at `now`; False, nothing changed, if it stands already. Problem `month_not_over`.

    One ledger entry, in the same transaction, names the month and the SHA-256 of what was published. The
    counting runs beside the doors and holds no transaction.
    """
    month.refuse_unless_over(now)
    async with database.reading() as session:
        if await found(session, "use", month.name) is not None:
            return False
        true = {
            "use": (use.cells(catalogue), await use.counted(session, said.journal.keys, catalogue, month))
        }
        true["questionnaire"] = (answers.cells(), await answers.counted(session, month))
    written, hashes = False, dict[str, str]()
    async with database.transaction() as session:
        for about, (cells, counts) in true.items():
            body = _body(about, month, cells, counts, below)
            values = {"about": about, "month": month.name, "body": body, "day": f"{korean_day_of(now)}"}
            new = insert_or_keep(session, _TABLE, "about", "month").values(**values)
            written = (await session.execute(new.returning(_TABLE.c.month))).one_or_none() is not None
            hashes[about] = hashlib.sha256(body).hexdigest()
        if written:
            await said.enter(session, month, hashes, now)
    return written


async def found(session: AsyncSession, about: str, month: str) -> bytes | None:
    """What was published about `month`, byte for byte; None if nothing was."""
    query = select(_TABLE.c.body).where(_TABLE.c.about == about, _TABLE.c.month == month)
    body = (await session.execute(query)).scalar_one_or_none()
    return None if body is None else bytes(body)


async def names(session: AsyncSession) -> list[tuple[str, str]]:
    """What was published, the newest first: about and month."""
    query = select(_TABLE.c.about, _TABLE.c.month).order_by(_TABLE.c.month.desc(), _TABLE.c.about.desc())
    return [(row.about, row.month) for row in (await session.execute(query)).all()]


async def every(session: AsyncSession) -> list[tuple[str, str, str, bytes]]:
    """Everything published, the oldest first: about, month, the day it was published, the bytes."""
    query = select(_TABLE).order_by(_TABLE.c.month, _TABLE.c.about)
    return [(row.about, row.month, row.day, bytes(row.body)) for row in (await session.execute(query)).all()]


def _body(about: str, month: Month, cells: Iterable[Cell], counts: Mapping[Cell, int], below: Below) -> bytes:
    return canonical(
        {
            "about": about,
            "month": month.name,
            "from": month.first.isoformat(),
            "until": month.last.isoformat(),
            "rule": RULE,
            "step": STEP,
            "cells": [_told(cell, published(counts.get(cell, 0), below)) for cell in cells],
        }
    )


def _told(cell: Cell, number: int | None) -> dict[str, Any]:
    return {"measure": cell[0], "by": cell[1], "value": cell[2], "number": number, "few": number is None}


def read(body: bytes) -> dict[str, Any]:
    """What was published, as values."""
    told: dict[str, Any] = orjson.loads(body)
    return told
