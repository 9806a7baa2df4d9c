"""Run the migrations on the connection that `abac.storage.migrate` hands over, or write down their SQL."""

from alembic import context

from abac.storage.migrate import SCHEMA_TABLE, is_ours
from abac.storage.tables import METADATA

given = context.config.attributes
context.configure(
    connection=given.get("connection"),
    dialect_name=given.get("dialect"),
    target_metadata=METADATA,
    version_table=SCHEMA_TABLE,
    include_object=is_ours,
    render_as_batch=True,
    compare_type=True,
    literal_binds=context.is_offline_mode(),
)
with context.begin_transaction():
    context.run_migrations()
