"""Rows of any table as plain values, page by page in the order of its key, from one snapshot of the store."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

PAGE = 500


async def rows_of(
    session: AsyncSession,
    table: Table,
    *where: ColumnElement[bool],
    json_in: Collection[str] = (),
    without: Collection[str] = (),
    by: Sequence[ColumnElement[Any]] = (),
) -> AsyncIterator[dict[str, Any]]:
    """Every row of `table` that is `where`; `json_in` names columns of JSON text, `without` is left out.

    `by` is the order, unique and as an index has it; else that of the key. Other bytes come as base64. Memory
    holds one page, whatever the size of the table.
    """
    key = list(by or table.primary_key.columns)
    wanted = [column for column in table.columns if column.name not in without]
    query = select(*wanted, *(one.label(f"key_{n}") for n, one in enumerate(key))).where(*where)
    query = query.order_by(*key).limit(PAGE)
    after: tuple[Any, ...] | None = None
    while True:
        going_on = query if after is None else query.where(tuple_(*key) > after)
        page = (await session.execute(going_on)).all()
        for row in page:
            values = zip(wanted, row, strict=False)
            yield {column.name: _plain(value, column.name in json_in) for column, value in values}
        if len(page) < PAGE:
            return
        after = tuple(page[-1][len(wanted) :])


def _plain(value: Any, is_json: bool) -> Any:
    if is_json and value:
        return json.loads(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
