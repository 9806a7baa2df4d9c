"""List what is permitted: decide for every row of a table at once, in the database.

What is known of the subject, the action and the environment is put into the policies first; what is left reads
only the row. `backends.sql` makes a clause of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from abac.backends.sql import clause, lower
from abac.compiler.program import Program
from abac.condition.schema import Category
from abac.listing.answer import Everything, Listing, Nothing, Where
from abac.listing.columns import Columns, Reading, Rows, check_names
from abac.pdp.residual import Residual, residual
from abac.policy.request import EMBEDDED, Request, Source

_NOTHING: Mapping[str, Any] = {}


def list_permitted(
    program: Program,
    subject: Any,
    action: Any,
    table: Any,
    *,
    environment: Any = _NOTHING,
    columns: Columns = _NOTHING,
    discharges: frozenset[str] = frozenset(),
    source: Source = EMBEDDED,
) -> Listing:
    """Return which rows of `table` the subject may act on: `Everything`, `Nothing`, or `Where` a clause holds.

    `table` is a SQLAlchemy table, selectable or mapped class whose rows are resources. `columns` says where it
    holds which attribute; by default in the column of the attribute's name. Only attributes that the answer
    depends on need one. NULL is UNKNOWN. A set is a JSON array or a PostgreSQL array; a date-time without a zone
    is in UTC. A row with a value that no request may carry, in an attribute that the answer depends on, is not
    listed. What subject, action and environment leave out is unknown. A PERMIT that owes an obligation not in
    `discharges` is not permitted.

    Exact on SQLite and PostgreSQL, but for `Where.unlowered`; the clause compiles for no other database. Raises
    `ListingError` for a table that does not hold what the answer reads, `RequestError` for a value that is not
    of its attribute's type.

        >>> import abac, sqlalchemy as sa
        >>> program = abac.compile(
        ...     schema="policies/schema.yaml", model="models/abac.conf", policies=["policies/rules/baseline.csv"]
        ... )
        >>> models = sa.Table("models", sa.MetaData(), sa.Column("id", sa.Text), sa.Column("access", sa.Text),
        ...     sa.Column("released", sa.DateTime))
        >>> ana = {"id": "ana", "kind": "person", "relation": "customer", "organisation": "none"}
        >>> noon = {"now": "2026-06-12T12:00:00Z"}
        >>> found = list_permitted(program, ana, "invoke", models, environment=noon)
        >>> engine = sa.create_engine("sqlite://")
        >>> released = sa.func.datetime("2026-06-09")
        >>> from datetime import datetime
        >>> with engine.begin() as connection:
        ...     models.create(connection)
        ...     _ = connection.execute(sa.insert(models), [
        ...         {"id": "fable-5", "access": "public", "released": datetime(2026, 6, 9)},
        ...         {"id": "fable-6", "access": "public", "released": None},
        ...         {"id": "mythos-5", "access": "limited", "released": datetime(2026, 6, 9)},
        ...     ])
        ...     found.exact, connection.scalars(sa.select(models.c.id).where(found.clause)).all()
        (True, ['fable-5'])
    """
    check_names(columns, program.schema)
    resource = [d for d in program.schema if d.category is Category.RESOURCE]
    later = [d.path for d in resource if columns.get(d.name, d.name) is not None]
    left = residual(program, Request(subject, action, {}, environment, source), later=later)
    readings = _readings(left, program, table, columns)
    held = {path: reading.held for path, reading in readings.items()}
    lowered = lower(left.root, held, left.stated, program.functions, discharges)
    if lowered.sure is True:
        return Everything()
    if lowered.possible is False:
        return Nothing()
    return Where(
        clause(lowered.sure),
        clause(lowered.possible),
        lowered.opaque,
        left,
        discharges,
        lambda row: {path.partition(".")[2]: reading.of(row) for path, reading in readings.items()},
    )


def _readings(left: Residual, program: Program, table: Any, columns: Columns) -> dict[str, Reading]:
    rows = Rows(table)
    found: dict[str, Reading] = {}
    for path in left.open:
        definition = program.schema[path]
        given = columns.get(definition.name, definition.name)
        assert given is not None  # noqa: S101  # else it is not open
        found[path] = rows.reading(definition, given)
    return found
