"""What a query engine is asked for one question: one scan, one grouping by the keys of all asks, a small result.

How a query is sent is the engines' part; what a key is, `simulation.counts`' part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from abac.backends.query import Dialect, Held, Query, columns_of, faults
from abac.condition.functions import Function
from abac.condition.schema import Schema
from abac.errors import Diagnostic, PopulationError, Span
from abac.simulation.counts import BEFORE, IS, USED, WAS, Question, Tally
from abac.simulation.population.frames import USE

Ask = Callable[[str], list[Sequence[Any]]]
"""Sends a query, and returns its rows."""
Register = Callable[[Mapping[str, Function]], None]
"""Lets an engine call functions of ours."""


def admit(
    source: str, types: Mapping[str, str], read: frozenset[str], schema: Schema, dialect: Dialect, ask: Ask
) -> dict[str, Held]:
    """Return the columns of the attributes read, once no value of them is one that no request may carry.

    Raises `PopulationError` with every column that has such values, and how many.
    """
    held = {path: one for path, one in columns_of(types, schema, dialect).items() if path in read}
    wrong = faults(held, dialect)
    if not wrong:
        return held
    counted = [f"count(*) FILTER (WHERE {condition})" for _, _, condition in wrong]
    (found,) = ask(f"SELECT {', '.join(counted)} FROM {source}")  # noqa: S608  # quoted names, no text of a user's
    findings = [
        Diagnostic(Span("<subjects>", 0), "bad-column", f"column `{path}`: {what} ({number:,} rows)")
        for (path, what, _), number in zip(wrong, found, strict=True)
        if number
    ]
    if findings:
        raise PopulationError(findings)
    return held


def tally(
    question: Question,
    source: str,
    types: Mapping[str, str],
    held: Mapping[str, Held],
    dialect: Dialect,
    ask: Ask,
    register: Register,
) -> Tally:
    """Return the counts of one question."""
    programs = (question.study.before, question.study.after)
    query = Query(source, held, programs[1].functions, dialect)
    keys, requests = [], []
    for one, stated in zip(question.asks, question.stated, strict=True):
        before, after = query.decide([p.root for p in programs], stated, question.discharges)
        use = f"coalesce({dialect.quoted(USE + one.key)}, 0)" if USE + one.key in types else "1"
        terms = [
            f"CASE WHEN {use} > 0 THEN {USED} ELSE 0 END",
            f"CASE WHEN {before.permitted} THEN {WAS} ELSE 0 END",
            f"{before.code} * {BEFORE}",
            f"CASE WHEN {after.permitted} THEN {IS} ELSE 0 END",
            after.code,
        ]
        keys.append(" + ".join(terms))
        requests.append(f"sum(CAST({use} AS BIGINT))")
    groups = [*(dialect.quoted(path) for path in question.by), *keys]
    places = ", ".join(str(n + 1) for n in range(len(groups)))
    register(query.called)
    tally = Tally(question)
    width, asks = len(question.by), len(question.asks)
    for row in ask(query.select([*groups, "count(*)", *requests], f" GROUP BY {places}" if groups else "")):
        own, own_keys, (rows, *sums) = row[:width], row[width : width + asks], row[width + asks :]
        tally.add(own, [int(k) for k in own_keys], int(rows), [int(n) for n in sums])
    return tally
