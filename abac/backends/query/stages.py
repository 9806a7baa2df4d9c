"""A query as nested selects: what is computed once is a column of one stage, and the next stages read it by name.

So no expression is written twice, however often a tree reads it, and text grows with the tree, not with its paths.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

WIDEST = 16
"""How many parts stand side by side in one expression; more are put in brackets, since parsers recur on chains."""


@dataclass(frozen=True, slots=True)
class Sql:
    """An expression, and the stage at which all that it reads is there; 0 is the source."""

    text: str
    stage: int = 0


@dataclass
class Stages:
    """The columns that are computed, stage by stage; equal expressions are one."""

    source: str
    _columns: list[dict[str, str]] = field(default_factory=list)

    def hold(self, expression: Sql) -> Sql:
        """Return the name of a column that holds an expression."""
        while len(self._columns) <= expression.stage:
            self._columns.append({})
        stage = self._columns[expression.stage]
        name = stage.setdefault(expression.text, f"s{expression.stage}_{len(stage)}")
        return Sql(name, expression.stage + 1)

    def select(self, chosen: Sequence[str], group: str = "") -> str:
        """Return the query that selects these expressions over all stages."""
        below = self.source
        for stage in self._columns:
            if stage:
                made = ", ".join(f"{text} AS {name}" for text, name in stage.items())
                below = f"(SELECT *, {made} FROM {below})"  # noqa: S608  # our own words and quoted literals
        return f"SELECT {', '.join(chosen)} FROM {below}{group}"  # noqa: S608  # as above


def joined(connective: str, parts: Iterable[Sql]) -> Sql:
    """Return one or more expressions joined by one connective, in brackets."""
    every = list(parts)
    stage = max(part.stage for part in every)
    texts = [part.text for part in every]
    while len(texts) > 1:
        rows = range(0, len(texts), WIDEST)
        texts = [f"({f' {connective} '.join(texts[at : at + WIDEST])})" for at in rows]
    return Sql(texts[0], stage)
