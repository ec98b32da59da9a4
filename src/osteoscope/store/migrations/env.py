"""Runs migrations on the connection that `osteoscope.store.engine` hands over."""

from alembic import context

from osteoscope.store.rows import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
