"""Engines that count what a change does where the rows are: Polars and DuckDB in this process, Spark on a cluster.

All answer the same questions (`simulation.counts`) over the same source, a subject frame in Parquet, and none
holds more of it than a batch. `open_engine` is the only place that knows their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol

from abac.condition.schema import Schema
from abac.errors import AbacError
from abac.simulation.counts import Question, Tally

Progress = Callable[[int], None]
"""Told how many more rows were counted."""


class EngineError(AbacError):
    """An engine that cannot be had, or that would not compute as the policies mean."""

    code = "engine"


class Name(StrEnum):
    """The engines there are."""

    POLARS = "polars"
    DUCKDB = "duckdb"
    SPARK = "spark"


class Engine(Protocol):
    """Counts over one source."""

    def columns(self) -> list[str]:
        """Return the names of the source's columns."""

    def rows(self) -> int:
        """Return how many rows the source has."""

    def count(self, questions: Sequence[Question], schema: Schema, progress: Progress) -> Iterator[Tally]:
        """Answer questions, one tally each, in their order.

        Raises `PopulationError` for a column that is not of its attribute's type, and for unsound values.
        """


def open_engine(name: Name, source: str, *, master: str = "", repeat: int = 1) -> AbstractContextManager[Engine]:
    """Open an engine over a source: a Parquet file, a folder or pattern of them, or a table that Spark knows.

    `master` is Spark's URL. `repeat` reads the source so many times over, as if it were so many times as long; it
    is for finding out what a run of that length costs, and Polars' alone. Raises `EngineError`.
    """
    if name is not Name.SPARK and master:
        raise EngineError("--master is Spark's; add --engine spark")
    if name is not Name.POLARS and repeat != 1:
        raise EngineError("only the engine polars reads a source more than once")
    match name:
        case Name.POLARS:
            from abac.service.engines.polars import Polars  # noqa: PLC0415  # each engine loads when it is used

            return Polars(source, repeat)
        case Name.DUCKDB:
            from abac.service.engines.duckdb import DuckDB  # noqa: PLC0415  # as above

            return DuckDB(source)
        case Name.SPARK:
            from abac.service.engines.spark import Spark  # noqa: PLC0415  # as above

            return Spark(source, master)


def missing(package: str, extra: str) -> EngineError:
    """Return the error that an engine's package is not installed."""
    return EngineError(f"`{package}` is not installed: pip install 'abac[{extra}]'")
