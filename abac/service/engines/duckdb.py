"""DuckDB as an engine: a query over Parquet files, in this process and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from abac.backends.query import DUCKDB, callable_of
from abac.condition.functions import Function
from abac.condition.schema import Schema
from abac.service.engines import EngineError, Progress, missing
from abac.service.engines.querying import admit, tally
from abac.simulation.counts import Question, Tally

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OPTIMISERS = ("column_lifetime", "filter_pushdown", "unused_columns")
"""Those that a query of ours gains by. It says nothing twice, and searching it for what is said twice took twenty
times as long as answering it did."""


class DuckDB:
    """Counts over Parquet: a file, a pattern of files, or a folder of them."""

    def __init__(self, source: str) -> None:
        self._source = f"read_parquet({DUCKDB.text(pattern(source))})"
        self._given = source

    def __enter__(self) -> Self:
        try:
            import duckdb  # noqa: PLC0415  # only who asks for it needs it
        except ModuleNotFoundError:
            raise missing("duckdb", "duckdb") from None
        self._connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        self._wrong = duckdb.Error
        every = self._connection.execute("SELECT * FROM duckdb_optimizers()").fetchall()
        off = ",".join(name for (name,) in every if name not in OPTIMISERS)
        self._connection.execute(f"SET disabled_optimizers = '{off}'")
        try:
            self._types = self._described()
        except EngineError:
            self._connection.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def columns(self) -> list[str]:
        """Return the names of the source's columns."""
        return list(self._types)

    def rows(self) -> int:
        """Return how many rows the source has."""
        return int(self._ask(f"SELECT count(*) FROM {self._source}")[0][0])  # noqa: S608  # our words, a quoted path

    def count(self, questions: Sequence[Question], schema: Schema, progress: Progress) -> Iterator[Tally]:
        """Answer questions, one scan each; values are checked by one scan before the first."""
        read = frozenset().union(*(q.read for q in questions))
        held = admit(self._source, self._types, read, schema, DUCKDB, self._ask)
        for question in questions:
            found = tally(question, self._source, self._types, held, DUCKDB, self._ask, self._register)
            progress(found.rows)
            yield found

    def _described(self) -> dict[str, str]:
        return {str(name): str(kind) for name, kind, *_ in self._ask(f"DESCRIBE SELECT * FROM {self._source}")}  # noqa: S608  # as above

    def _ask(self, query: str) -> list[Sequence[Any]]:
        try:
            return list(self._connection.execute(query).fetchall())
        except self._wrong as error:
            raise EngineError(f"DuckDB cannot read `{self._given}`: {str(error).splitlines()[0]}") from error

    def _register(self, called: Mapping[str, Function]) -> None:
        register(self._connection, called)


def pattern(source: str) -> str:
    """Return what stands for all Parquet files of a source."""
    from pathlib import Path  # noqa: PLC0415  # one look at the disk

    return f"{source.rstrip('/')}/*.parquet" if Path(source).is_dir() else source


def register(connection: DuckDBPyConnection, called: Mapping[str, Function]) -> None:
    """Let the engine call our functions, by the names that a query calls them."""
    options: dict[str, Any] = {"null_handling": "special", "side_effects": False}
    known = connection.execute("SELECT DISTINCT lower(function_name) FROM duckdb_functions()").fetchall()
    for name, function in called.items():
        if (name.lower(),) in known:
            connection.remove_function(name)
        parameters: list[Any] = [DUCKDB.type(kind.kind) for kind in function.parameters]
        result = DUCKDB.type(function.result.kind)
        connection.create_function(name, callable_of(function), parameters, result, **options)
