"""What Alembic runs: migrations on the connection that `database.opened` gives it."""

from __future__ import annotations

from alembic import context

from frontdesk.history.schema import metadata

# SQLite changes a table by writing it anew.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
