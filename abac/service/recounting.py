"""Counts of an engine counted again: all of them by another engine, and a sample of the rows by the reference.

Two engines that share no code count every row; what the answers to a row are, and what is counted of them, is held
to the reference row by row. A table that only Spark knows cannot be verified: nothing else reads it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from abac.condition.schema import Schema
from abac.policy import reference
from abac.service.engines import EngineError, Name, open_engine
from abac.simulation.counts import Question, Tally, key_of_one
from abac.simulation.population.frames import USE
from abac.simulation.recount.counting import Difference, unlike
from abac.simulation.recount.subjects import rows as read_rows

SIZE = 300
"""Rows that the reference looks at."""


def check_readable(source: str) -> None:
    """Raise `EngineError` where nothing but the engine itself can read a source."""
    if not (Path(source).exists() or "*" in source):
        raise EngineError(f"`{source}` is no file that another engine reads; give --population the Parquet files")


def recount(tallies: Sequence[Tally], source: str, name: Name, schema: Schema) -> dict[str, Any]:
    """Return what was looked at and every figure that is not what counting again comes to.

    `tallies` are what the engine `name` counted over `source`, which others can read too (`check_readable`).
    """
    questions = [tally.question for tally in tallies]
    other = Name.DUCKDB if name is Name.POLARS else Name.POLARS
    counted = _counted(other, source, questions, schema)
    broken = [d for t, c in zip(tallies, counted, strict=True) for d in _differ(t, c, other.value)]
    with tempfile.TemporaryDirectory(prefix="abac-") as folder:
        sample = Path(folder) / "sample.parquet"
        frame = _sampled(source)
        frame.write_parquet(sample)
        told = _counted(Name.POLARS if name is Name.SPARK else name, str(sample), questions, schema)
    by_hand = [_by_reference(question, frame, schema) for question in questions]
    broken += [d for t, c in zip(told, by_hand, strict=True) for d in _differ(t, c, "the reference, of a sample")]
    return {"by": other.value, "rows_by_reference": frame.height, "broken": broken}


def _counted(name: Name, source: str, questions: Sequence[Question], schema: Schema) -> list[Tally]:
    with open_engine(name, source) as engine:
        return list(engine.count(questions, schema, lambda _: None))


def _differ(told: Tally, counted: Tally, by: str) -> list[str]:
    found: list[Difference] = []
    for name in ("people", "postures", "cells"):
        one, other = (list(getattr(tally, name)()) for tally in (told, counted))
        found += unlike(one, other, f"{told.question.study.id}.{name}")
    return [f"{d} ({by})" for d in found]


def _sampled(source: str) -> pl.DataFrame:
    """Return rows of a source drawn at random, one source one sample."""
    from abac.service.engines.polars import files_of  # noqa: PLC0415  # Polars as an engine loads with it

    lazy = pl.scan_parquet(files_of(source)).with_row_index("row number")
    height = int(lazy.select(pl.len()).collect().item())
    chosen = np.random.Generator(np.random.PCG64(height)).choice(height, min(SIZE, height), replace=False)
    return lazy.filter(pl.col("row number").is_in(np.sort(chosen).tolist())).drop("row number").collect()


def _by_reference(question: Question, frame: pl.DataFrame, schema: Schema) -> Tally:
    """Count rows one by one by the reference."""
    facts = frame.select([name for name in frame.columns if name.split("@")[0] in schema])
    tally, programs = Tally(question), (question.study.before, question.study.after)
    used = any(name.startswith(USE) for name in frame.columns)
    for known, row in zip(read_rows(facts, schema, {}, {}), frame.iter_rows(named=True), strict=True):
        keys, requests = [], []
        for ask, stated in zip(question.asks, question.stated, strict=True):
            sides = [
                reference.decide(p.root, {**known, **stated}, p.functions, discharges=question.discharges)
                for p in programs
            ]
            requests.append(int(row.get(USE + ask.key) or 0) if used else 1)
            answers = [(side.extended, side.permitted) for side in sides]
            keys.append(key_of_one(requests[-1] > 0, *answers))
        tally.add([row[path] for path in question.by], keys, 1, requests)
    return tally
