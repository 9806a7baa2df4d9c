"""A population: the subjects of a simulation as columns, what is on file of them, what is true, and what they use.

This module is the shape that every population has, synthetic or brought, and the layout of its columns. Drawing
one is `synthetic`'s part, reading one is `brought`'s, deciding about one is the columnar back end's.

The columns of a *subject frame*, one row per subject:

- `subject.<name>`: the value. bool: Boolean; int: Int64; float: Float64; string: String; enum and ordered
  enum: Enum with the values in the schema's order; date-time: Datetime("us", "UTC"); set of X: List(X) without
  null elements. Null is absent, which is UNKNOWN.
- `subject.<name>@assurance` (UInt8, an `Assurance`), where rows differ; without it `Population.assurance` holds.
- `subject.<name>@complete` (Boolean), where rows differ; without it `Population.complete` holds.
- `subject.<name>@elements` (List(UInt8), parallel to the value), where elements of one set differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.types import Kind, ScalarType, SetType, Type
from abac.simulation.catalogue import Catalogue

ID = "subject.id"


@dataclass(frozen=True, slots=True)
class Assumption:
    """One number that a result rests on: its name, value, source, and how firm it is.

    `firmness` is `firm`, `reported`, `author's account`, `company's account` or `assumption`.
    """

    name: str
    value: Any
    source: str
    firmness: str

    def as_json(self) -> dict[str, Any]:
        """Return the row of report.json's `assumptions`."""
        return {"name": self.name, "value": self.value, "source": self.source, "firmness": self.firmness}


@dataclass(frozen=True, slots=True)
class Prior:
    """A named guess at what a brought population does not say: the share (0 to 1) for which the fact holds."""

    name: str
    share: float


@dataclass(frozen=True)
class Population:
    """Subjects as columns. See the module's docstring for the layout of `asserted` and `truth`.

    `use` holds one UInt32 column per `<model>|<action>`: requests per day by that subject, 0 for none.
    `sessions` holds one UInt32 column per model: sessions of that subject open at the cut. `truth` has the
    columns and the row order of `asserted`, every value verified and every set complete; a null in it means
    that the attribute does not apply (the citizenship of a key). It is None for a brought population, whose
    values of at least the assurance `held_true` are held true up to the share `error`. `catalogue` is what its use
    is of. `part_of` is the larger population that this one is some rows of, where it is.
    """

    schema: Schema
    asserted: pl.DataFrame
    truth: pl.DataFrame | None
    use: pl.DataFrame
    sessions: pl.DataFrame
    assurance: dict[str, Assurance]
    complete: dict[str, bool]
    assumptions: tuple[Assumption, ...]
    synthetic: bool
    seed: int | None
    digest: str
    catalogue: Catalogue
    prior: Prior | None = None
    held_true: Assurance = Assurance.DECLARED
    error: float = 0.0
    part_of: Population | None = None

    def __len__(self) -> int:
        return self.asserted.height

    @property
    def premises(self) -> tuple[Assumption, ...]:
        """`assumptions`, and of a brought population what its figures rest on besides its rows."""
        if self.truth is not None:
            return self.assumptions
        stated: list[tuple[str, Any]] = [("held true from", str(self.held_true)), ("error", self.error)]
        if self.prior:
            stated.append((f"prior: {self.prior.name}", self.prior.share))
        rows = (Assumption(name, value, "stated with the population", "as brought") for name, value in stated)
        return (*self.assumptions, *rows)

    def part(self, rows: NDArray[np.int64]) -> Population:
        """Return some of the subjects, in the order given: a population in which each is drawn as it was here."""
        taken = replace(
            self,
            asserted=self.asserted[rows],
            truth=None if self.truth is None else self.truth[rows],
            use=self.use[rows],
            sessions=self.sessions[rows] if self.sessions.width else self.sessions,
            part_of=self.part_of or self,
        )
        taken.__dict__["places"] = self.places[rows]
        return taken

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """Each subject's place in the order of ids, of the whole's where this is a part."""
        ids = self.asserted[ID]
        if ids.is_sorted():
            return np.arange(len(ids))
        return ids.rank("ordinal").cast(pl.Int64).to_numpy() - 1

    @property
    def drawn_of(self) -> int:
        """Of how many subjects whatever is drawn per subject is drawn: of the whole's, where this is a part."""
        return len(self.part_of or self)

    @cached_property
    def salt(self) -> str:
        """What pseudonyms are salted with.

        The digest is printed in every report, and whoever knows an id could find its pseudonym by it;
        of a brought population the salt is made from every row of it. Nobody stands behind a made-up one.
        """
        if self.synthetic:
            return self.digest
        whole = hashlib.sha256(self.digest.encode())
        for column in self.asserted:
            values = (
                column.list.eval(pl.element().cast(pl.String)).list.join(",")
                if column.dtype.is_nested()
                else column
            )
            for text in values.cast(pl.String):
                whole.update(b"\0" if text is None else b"\1" + str(text).encode() + b"\n")
        return whole.hexdigest()


def subject_attributes(schema: Schema) -> list[AttributeDefinition]:
    """Return the schema's subject attributes, in declared order: the value columns of every subject frame."""
    return [d for d in schema if d.category is Category.SUBJECT]


def column_type(kind: Type) -> pl.DataType:
    """Return the polars type of the column that holds values of `kind`."""
    if isinstance(kind, SetType):
        return pl.List(_scalar_type(kind.element))
    return _scalar_type(kind)


def _scalar_type(kind: ScalarType) -> pl.DataType:
    match kind.kind:
        case Kind.BOOL:
            return pl.Boolean()
        case Kind.INT:
            return pl.Int64()
        case Kind.FLOAT:
            return pl.Float64()
        case Kind.STRING:
            return pl.String()
        case Kind.ENUM | Kind.ORDERED:
            return pl.Enum(kind.values)
        case Kind.DATETIME:
            return pl.Datetime("us", "UTC")


def words(facts: pl.DataFrame, path: str) -> pl.Series:
    """Return a column of words by its attribute's path; all null where the schema does not have the attribute."""
    if path in facts.columns:
        return facts[path].cast(pl.String)
    return pl.Series(path, [None], dtype=pl.String).new_from_index(0, facts.height)


def use_column(model: str, action: str) -> str:
    """Name the column of `Population.use` for a model and an action.

    >>> use_column("fable-5", "invoke")
    'fable-5|invoke'
    """
    return f"{model}|{action}"


def subject_frame(schema: Schema, columns: Iterable[pl.Series], rows: int) -> pl.DataFrame:
    """Return a frame with a column for every subject attribute of the schema, null where none is given.

    Columns named `<path>@...` follow the value columns. Raises `ValueError` for a column of another type
    than the schema's.
    """
    given = {series.name: series for series in columns}
    ordered: list[pl.Series] = []
    for definition in subject_attributes(schema):
        kind = column_type(definition.type)
        series = given.pop(definition.path, None)
        if series is None:
            series = pl.Series(definition.path, [None], dtype=kind).new_from_index(0, rows)
        if series.dtype != kind:
            raise ValueError(f"{definition.path}: column of {series.dtype}, the schema says {kind}")
        ordered.append(series)
    return pl.DataFrame([*ordered, *(given[name] for name in sorted(given))])
