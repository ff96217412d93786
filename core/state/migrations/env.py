"""Runs migrations on the connection that `StateDatabase.upgrade` hands over."""

from alembic import context

from core.state import schema_of_alerts, schema_of_sync  # noqa: F401 - their tables belong to the metadata too
from core.state.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
