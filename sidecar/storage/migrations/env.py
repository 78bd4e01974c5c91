"""Alembic's entrance: runs the migrations on the connection that versions.py hands over."""

from alembic import context

from sidecar.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters tables by copying them
    tell=context.config.attributes["tell"],
    on_version_apply=context.config.attributes["applied"],
)
with context.begin_transaction():
    context.run_migrations()
