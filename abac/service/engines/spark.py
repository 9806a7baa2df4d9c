"""Spark as an engine: the same query on a cluster, over Parquet that every worker can read, or over a table.

What must be UNKNOWN goes through `try_` functions and everything else must raise, so ANSI mode is asserted, and a
session that is not in it is refused: there `size(NULL)` may be -1, and what overflows is another number. Functions
of ours are called in the workers' Python, which must have abac.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from abac.backends.query import SPARK, callable_of
from abac.condition.functions import Function
from abac.condition.schema import Schema
from abac.service.engines import EngineError, Progress, missing
from abac.service.engines.querying import admit, tally
from abac.simulation.counts import Question, Tally

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.variable.substitute": "false",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
}
"""What the meaning rests on: errors raise, date-times are UTC and as written, `${...}` in a literal is text."""
QUIET = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.CollapseProject",
}
"""What makes no difference to an answer: a query of ours says nothing twice, and its stages stay apart so that the
planner does not write out again what they share."""


class Spark:
    """Counts over what Spark can read: Parquet by its path, or a table by its name."""

    def __init__(self, source: str, master: str = "") -> None:
        if not master:
            raise EngineError("--engine spark needs --master URL: spark://HOST:PORT, or local[N] for this machine")
        self._given, self._master = source, master

    def __enter__(self) -> Self:
        try:
            from pyspark.errors import PySparkException  # noqa: PLC0415  # only who asks for it needs it
            from pyspark.sql import SparkSession  # noqa: PLC0415  # as above
        except ModuleNotFoundError:
            raise missing("pyspark", "spark") from None
        self._wrong = PySparkException
        self._found = SparkSession.getActiveSession() is not None
        builder = SparkSession.builder.master(self._master).appName("abac simulate")
        for name, value in (SETTINGS | QUIET).items():
            builder = builder.config(name, value)
        try:
            self._session: SparkSession = builder.getOrCreate()
        except (PySparkException, OSError) as error:
            raise EngineError(
                f"no Spark at `{self._master}`: {_first(error)}; Spark needs Java 17 or later"
            ) from error
        try:
            assert_settings(self._session)
            self._source = self._opened()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def columns(self) -> list[str]:
        """Return the names of the source's columns."""
        return list(self._types)

    def rows(self) -> int:
        """Return how many rows the source has."""
        return int(self._ask(f"SELECT count(*) FROM {self._source}")[0][0])  # noqa: S608  # our words, a quoted name

    def count(self, questions: Sequence[Question], schema: Schema, progress: Progress) -> Iterator[Tally]:
        """Answer questions, one scan each; values are checked by one scan before the first."""
        read = frozenset().union(*(q.read for q in questions))
        held = admit(self._source, self._types, read, schema, SPARK, self._ask)
        for question in questions:
            found = tally(question, self._source, self._types, held, SPARK, self._ask, self._register)
            progress(found.rows)
            yield found

    @cached_property
    def _types(self) -> dict[str, str]:
        described = self._session.table(self._source).dtypes
        return dict(described)

    def _stop(self) -> None:
        """End the session, unless it was there before."""
        if not self._found:
            self._session.stop()

    def _opened(self) -> str:
        """Return the name of the source in SQL: a table's own, or that of a view over files."""
        try:
            if not any(mark in self._given for mark in "/\\.*") and self._session.catalog.tableExists(self._given):
                return SPARK.quoted(self._given)
            self._session.read.parquet(self._given).createOrReplaceTempView("subjects")
        except self._wrong as error:
            raise EngineError(f"Spark cannot read `{self._given}`: {_first(error)}") from error
        return "subjects"

    def _ask(self, query: str) -> list[Sequence[Any]]:
        assert_settings(self._session)
        try:
            return [tuple(row) for row in self._session.sql(query).collect()]
        except self._wrong as error:
            raise EngineError(f"Spark failed on `{self._given}`: {_first(error)}") from error

    def _register(self, called: Mapping[str, Function]) -> None:
        register(self._session, called)


def assert_settings(session: SparkSession) -> None:
    """Refuse a session that would not compute as the policies mean, whoever set it up."""
    for name, wanted in SETTINGS.items():
        found = session.conf.get(name, "")
        if str(found).lower() != wanted.lower():
            raise EngineError(f"Spark's {name} is `{found}`, and must be `{wanted}`")


def register(session: SparkSession, called: Mapping[str, Function]) -> None:
    """Let the engine call our functions, by the names that a query calls them."""
    for name, function in called.items():
        session.udf.register(name, callable_of(function), SPARK.type(function.result.kind).lower())


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
