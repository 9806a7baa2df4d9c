"""A population as a Parquet file that every engine reads: the subject frame on file, its marks, and its use.

What holds for a whole column (`Population.assurance`, `Population.complete`) is written as a column of its own, so
that a file says by itself how well founded it is. What is true of anyone is not written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from abac.condition.schema import Schema
from abac.errors import Diagnostic, PopulationError, Span, did_you_mean
from abac.simulation.catalogue import Catalogue
from abac.simulation.digests import digest_of
from abac.simulation.population import ID, Assumption, Population

USE = "use."
"""What the name of a column of use begins with; `<model>|<action>` follows, and it holds requests per day."""


def frame_of(population: Population) -> pl.DataFrame:
    """Return what is on file of everyone, with all marks, and what everyone uses."""
    facts = population.asserted
    marks = []
    for definition in population.schema:
        path = definition.path
        if path not in facts.columns:
            continue
        level = population.assurance.get(path, definition.assurance)
        if f"{path}@assurance" not in facts.columns:
            marks.append(pl.lit(int(level), pl.UInt8).alias(f"{path}@assurance"))
        if definition.is_set and f"{path}@complete" not in facts.columns:
            whole = population.complete.get(path, definition.complete)
            marks.append(pl.lit(whole, pl.Boolean).alias(f"{path}@complete"))
    use = population.use.rename({name: f"{USE}{name}" for name in population.use.columns})
    return pl.concat([facts.with_columns(marks), use], how="horizontal")


def write_frame(population: Population, path: Path, rows_per_group: int = 262_144) -> None:
    """Write the file; groups of rows are what engines divide among them."""
    frame_of(population).write_parquet(path, row_group_size=rows_per_group)


def read_frame(path: Path, schema: Schema, catalogue: Catalogue) -> Population:
    """Read such a file as a population of which nothing is true but what is on file; other columns are left out.

    Raises `PopulationError` where it cannot be read or names nobody; values are checked as they are encoded.
    """
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        said = f"Polars cannot read it: {str(error).splitlines()[0]}"
        raise PopulationError([Diagnostic(Span(str(path)), "unreadable", said)]) from error
    if ID not in frame.columns:
        hint = "a file as someone brings it needs a mapping; `abac population inspect` proposes one"
        raise PopulationError([Diagnostic(Span(str(path)), "no-subjects", f"it has no column `{ID}`", hint=hint)])
    paths = [name for name in frame.columns if name.startswith("subject.")]
    wrong = [name for name in paths if name.split("@")[0] not in schema]
    if wrong:
        hint = did_you_mean(wrong[0], schema.attributes)
        said = f"{len(wrong):,} columns are no attributes of the schema, `{wrong[0]}` the first"
        raise PopulationError([Diagnostic(Span(str(path)), "bad-column", said, hint=hint)])
    use = frame.select([f"{USE}{name}" for name in use_columns(frame.columns)])
    return Population(
        schema,
        frame.select(paths),
        None,
        use.rename({name: name.removeprefix(USE) for name in use.columns}),
        pl.DataFrame(height=frame.height),
        {},
        {},
        (Assumption("population file", path.name, "a subject frame", "as brought"),),
        synthetic=False,
        seed=None,
        digest=digest_of(path.read_bytes().hex()),
        catalogue=catalogue,
    )


def use_columns(names: Sequence[str]) -> Iterator[str]:
    """Yield the `<model>|<action>` of the columns of use."""
    yield from (name.removeprefix(USE) for name in names if name.startswith(USE))
