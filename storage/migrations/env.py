"""Runs revisions on the connection, and for the role, that ``storage.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from storage.migrate import comparison_options
from storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    app_role=context.config.attributes["app_role"],
    **comparison_options(),
)
context.run_migrations()
