"""Alembic's entry: runs the migrations on the connection `omnihub.store.open.migrate` hands over."""

from alembic import context

from omnihub.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
