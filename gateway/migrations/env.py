"""Alembic's entry: runs on the connection it is handed (`gateway.migrations.apply`)."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel.sql.sqltypes import AutoString

from gateway.migrations.tables import metadata


def render_item(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Write SQLModel's own string type as the plain one it is, so that migrations need SQLAlchemy only."""
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
