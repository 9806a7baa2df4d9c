"""Lower policy trees to one query of a query engine: native SQL of three values for DuckDB and Spark.

A source is anything with the columns of a subject frame; the query gives, per tree and request, the extended
decision of every row and whether it is permitted. Opening engines and counting are left to others; `ledger` says
what goes another way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from abac.backends.query.columns import Held, columns_of, faults
from abac.backends.query.combine import Combination
from abac.backends.query.conditions import Conditions, text
from abac.backends.query.dialect import DUCKDB, SPARK, Dialect
from abac.backends.query.stages import Sql, Stages
from abac.backends.query.terms import Terms
from abac.backends.query.values import callable_of
from abac.condition.expr import Condition
from abac.condition.functions import Function
from abac.condition.reference import Assertion
from abac.policy.rule import Policy, PolicySet

__all__ = [
    "DUCKDB",
    "SPARK",
    "Dialect",
    "Held",
    "Query",
    "callable_of",
    "columns_of",
    "faults",
]


@dataclass(frozen=True, slots=True)
class Decided:
    """The columns of a tree's answer: its code (`policy.decision.Extended`), and whether it is permitted."""

    code: str
    permitted: str


class Query:
    """A query under construction over one source; trees and requests share what they have in common."""

    def __init__(
        self, source: str, columns: Mapping[str, Held], functions: Mapping[str, Function], dialect: Dialect
    ) -> None:
        self._stages = Stages(source)
        self._columns, self._functions, self._dialect = columns, functions, dialect
        self.called: dict[str, Function] = {}

    def decide(
        self,
        roots: Sequence[Policy | PolicySet],
        stated: Mapping[str, Assertion],
        discharges: frozenset[str] = frozenset(),
    ) -> list[Decided]:
        """Add the decisions of trees about what is `stated` of all rows; what is stated hides a column."""
        combination = Combination(self._conditions(stated), self._stages, discharges)
        found = [(combination.code(root), self._stages.hold(combination.permitted(root))) for root in roots]
        return [Decided(code.text, permitted.text) for code, permitted in found]

    def truths(self, conditions: Sequence[Condition], stated: Mapping[str, Assertion]) -> list[str]:
        """Add conditions; each comes out TRUE, FALSE or NULL."""
        lowering = self._conditions(stated)
        answers = [lowering.answer(c) for c in conditions]
        return [self._stages.hold(one).text if isinstance(one, Sql) else text(one) for one in answers]

    def select(self, chosen: Sequence[str], group: str = "") -> str:
        """Return the query that selects expressions over the source's columns and what was added."""
        return self._stages.select(chosen, group)

    def _conditions(self, stated: Mapping[str, Assertion]) -> Conditions:
        terms = Terms(self._dialect, self._stages, self._columns, stated, self._functions, self.called)
        return Conditions(terms)
