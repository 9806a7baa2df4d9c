"""Run the migrations on the connection that `abac.storage.migrate` hands over."""

from alembic import context

from abac.storage.migrate import SCHEMA_TABLE, is_ours
from abac.storage.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    version_table=SCHEMA_TABLE,
    include_object=is_ours,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
