"""Runs the migrations on the connection, and in the transaction, which `gridsvc.store.schema` hands over."""

from alembic import context

from gridsvc.store.schema import migration_options

connection = context.config.attributes["connection"]
context.configure(connection=connection, **migration_options(connection))
context.run_migrations()
