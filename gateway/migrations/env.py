"""Alembic's entry: runs on the connection it is handed (`gateway.migrations.apply`)."""

from __future__ import annotations

from alembic import context

from gateway.migrations.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
