"""Read a population that someone brings: a file or a table, a mapping of its columns, and nothing taken on trust.

A brought population has no truth, so what is computed from it are bounds. All or nothing: every finding names the
file, the row as a spreadsheet shows it (the header is row 1) and the column, and one error refuses the whole.
A value that says nothing of its assurance is `inferred`, and its set incomplete. Where the mapping names no use,
each subject makes one request per day of action `invoke` to every model, and none of any other action.

Opening files is `files`'s part, single cells `cells`'s, proposing a mapping `inspect`'s
(`inspect`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from abac.compiler.program import schema_digest
from abac.condition.schema import Schema
from abac.condition.types import INT
from abac.errors import Findings, PopulationError, Span, did_you_mean
from abac.simulation.catalogue import Catalogue
from abac.simulation.digests import digest_of
from abac.simulation.population import (
    ID,
    Assumption,
    Population,
    column_type,
    subject_frame,
    use_column,
)
from abac.simulation.population.cells import CellClash
from abac.simulation.population.columns import Problems, typed_column
from abac.simulation.population.files import open_raw
from abac.simulation.population.inspect import Inspection, inspect
from abac.simulation.population.mapping import ColumnMapping, Mapping
from abac.simulation.population.raw import Raw

__all__ = ["Inspection", "inspect", "read_population"]

MOST_USE = 2**32 - 1


def read_population(
    path: str | Path, mapping: Mapping, schema: Schema, catalogue: Catalogue, *, sheet: str | None = None
) -> Population:
    """Return the population in a file (XLSX, CSV, Parquet, Arrow) or a database table (`<url>#<table>`).

    `sheet` names the sheet of a workbook; the first where left out. Raises `PopulationError` with every finding:
    a file that cannot be read whole, a missing column, a ragged row, a cell of the wrong type, a null in a set, a
    NaN, an unknown country, a duplicate or missing id. The first 50 cells are worded one by one, the rest counted.
    """
    findings = Findings()
    raw = open_raw(path, findings, sheet)
    if raw is not None:
        _check_columns(raw, mapping, schema, catalogue, findings)
    findings.raise_errors(PopulationError)
    if raw is None:
        raise PopulationError(findings.errors)
    problems = Problems()
    columns = [_attribute(raw, spec, schema, problems) for spec in mapping.columns.values()]
    asserted = subject_frame(schema, columns, raw.frame.height)
    _check_ids(asserted[ID], mapping.columns[ID], problems)
    use, sessions = _use(raw, mapping, catalogue, problems), _sessions(raw, mapping, catalogue, problems)
    problems.note(raw, findings)
    findings.raise_errors(PopulationError)
    return Population(
        schema,
        asserted,
        None,
        use,
        sessions,
        {path: spec.assurance for path, spec in mapping.columns.items()},
        {path: spec.complete for path, spec in mapping.columns.items() if schema[path].is_set},
        tuple(_assumptions(raw, mapping)),
        synthetic=False,
        seed=None,
        digest=digest_of(raw.digest, mapping.digest, schema_digest(schema), catalogue.digest),
        catalogue=catalogue,
        prior=mapping.prior,
        held_true=mapping.held_true,
        error=mapping.error,
    )


def _check_columns(raw: Raw, mapping: Mapping, schema: Schema, catalogue: Catalogue, findings: Findings) -> None:
    """Note every column that the mapping names and the file lacks, and attributes and models that are not ours."""
    names = raw.frame.columns
    wanted = [(spec.column, spec.span) for spec in mapping.columns.values() if spec.column]
    place = Span(mapping.file)
    wanted += [(column, place) for column in (*mapping.use.values(), *mapping.sessions.values())]
    for column, span in wanted:
        if column not in names:
            message = f"{raw.file} has no column `{column}`"
            findings.error(span, "missing-column", message, did_you_mean(column, names))
    for path, spec in mapping.columns.items():
        if path not in schema:
            findings.error(spec.span, "mapping", f"`{path}` is not an attribute of the schema")
    models = [m.id for m in catalogue.models]
    uses = [use_column(model, action) for model in models for action in catalogue.actions]
    for key, known in ((k, uses) for k in mapping.use):
        if key not in known:
            findings.error(place, "mapping", f"use: `{key}` is no `<model>|<action>`", did_you_mean(key, known))
    for key in mapping.sessions:
        if key not in models:
            findings.error(place, "mapping", f"sessions: `{key}` is no model", did_you_mean(key, models))


def _attribute(raw: Raw, spec: ColumnMapping, schema: Schema, problems: Problems) -> pl.Series:
    kind = schema[spec.path].type
    if spec.column is None:
        value = sorted(spec.constant) if isinstance(spec.constant, frozenset) else spec.constant
        return pl.Series(spec.path, [value], dtype=column_type(kind)).new_from_index(0, raw.frame.height)
    return typed_column(raw.frame[spec.column], spec, kind, problems)


def _check_ids(ids: pl.Series, spec: ColumnMapping, problems: Problems) -> None:
    column = spec.column or ID
    missing = ids.is_null()
    problems.add(column, missing.arg_true(), lambda _: CellClash("a subject without an id", "missing-id"))
    again = (~ids.is_first_distinct() & ~missing).arg_true()
    problems.add(column, again, lambda row: CellClash(f"`{ids[row]}` stands in more than one row", "duplicate-id"))


def _use(raw: Raw, mapping: Mapping, catalogue: Catalogue, problems: Problems) -> pl.DataFrame:
    rows = raw.frame.height
    columns: list[pl.Series] = []
    for model in catalogue.models:
        for action in catalogue.actions:
            key = use_column(model.id, action)
            usual = int(action == "invoke" and not mapping.use)
            columns.append(_count(raw, key, mapping.use.get(key), problems, usual))
    return pl.DataFrame(columns) if columns else pl.DataFrame(height=rows)


def _sessions(raw: Raw, mapping: Mapping, catalogue: Catalogue, problems: Problems) -> pl.DataFrame:
    ids = [m.id for m in catalogue.models]
    return pl.DataFrame([_count(raw, i, mapping.sessions.get(i), problems, 0) for i in ids])


def _count(raw: Raw, name: str, column: str | None, problems: Problems, usual: int) -> pl.Series:
    """Return a column of counts; a blank cell counts nothing, a column that the mapping leaves out is `usual`."""
    if column is None:
        return pl.Series(name, np.full(raw.frame.height, usual, np.uint32))
    counts = typed_column(raw.frame[column], ColumnMapping(name, column), INT, problems).fill_null(0)
    wrong = ((counts < 0) | (counts > MOST_USE)).arg_true()
    problems.add(column, wrong, lambda row: CellClash(f"{counts[row]} is no count from 0 to {MOST_USE}"))
    return counts.clip(0, MOST_USE).cast(pl.UInt32)


def _assumptions(raw: Raw, mapping: Mapping) -> Iterable[Assumption]:
    for path, spec in mapping.columns.items():
        value = f"column `{spec.column}`" if spec.column else f"constant {spec.constant}"
        known = f"{value}, {spec.assurance}" + (f", as of {spec.as_of.isoformat()}" if spec.as_of else "")
        yield Assumption(path, known, mapping.file, "as brought")
    if not mapping.use:
        yield Assumption(
            "use", "one request per day of `invoke` to every model", "no use in the mapping", "assumption"
        )
    yield Assumption("population file", raw.digest, raw.file, "as brought")
