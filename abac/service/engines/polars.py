"""Polars as an engine: the columnar back end over Parquet, a batch at a time, in bounded memory."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import polars as pl

from abac.backends.columnar import Frame, batches
from abac.condition.schema import Schema
from abac.service.engines import EngineError, Progress
from abac.simulation.change import Decided, decide_stated
from abac.simulation.counts import Question, Tally, key_of
from abac.simulation.population.frames import USE

BATCH = 262_144
"""Rows held at once."""


class Polars:
    """Counts over Parquet: a file, a pattern of files, or a folder of them; read `repeat` times over."""

    def __init__(self, source: str, repeat: int = 1) -> None:
        self._given, self._repeat = source, repeat

    def __enter__(self) -> Self:
        self._lazy = pl.scan_parquet(files_of(self._given))
        try:
            self._columns = self._lazy.collect_schema().names()
        except pl.exceptions.PolarsError as error:
            raise EngineError(f"Polars cannot read `{self._given}`: {str(error).splitlines()[0]}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """There is nothing to close."""

    def columns(self) -> list[str]:
        """Return the names of the source's columns."""
        return self._columns

    def rows(self) -> int:
        """Return how many rows are read in all."""
        return int(self._lazy.select(pl.len()).collect().item()) * self._repeat

    def count(self, questions: Sequence[Question], schema: Schema, progress: Progress) -> Iterator[Tally]:
        """Answer questions in one scan: every batch is encoded once."""
        Frame.encode(self._lazy.head(0).collect(), schema)  # every column's name and type, read or not
        read = frozenset().union(*(q.read for q in questions))
        keep = [n for n in self._columns if n.startswith(USE) or n in {path for q in questions for path in q.by}]
        wanted = [n for n in self._columns if n.split("@")[0] in read or n in keep]
        groups: list[pl.DataFrame | None] = [None] * len(questions)
        for _ in range(self._repeat):
            chosen = self._lazy.select(wanted or self._columns[:1])
            for rows, frame in batches(chosen, schema, keep=keep, batch=BATCH):
                for n, question in enumerate(questions):
                    programs = [question.study.before, question.study.after]
                    before, after = decide_stated(programs, question.stated, frame)
                    groups[n] = _grouped(groups[n], _keyed(question, rows, frame.rows, before, after))
                progress(frame.rows * len(questions))
        for question, found in zip(questions, groups, strict=True):
            yield _tally(question, found)


def files_of(source: str) -> list[str]:
    """Return the Parquet files that a source names: a file, a folder, or a pattern."""
    place = Path(source)
    found = sorted(place.glob("*.parquet")) if place.is_dir() else sorted(glob.glob(source))  # noqa: PTH207  # a pattern may begin with a root
    if not found:
        raise EngineError(f"there is no Parquet file `{source}`")
    return [str(p) for p in found]


def _keyed(question: Question, rows: pl.DataFrame, height: int, before: Decided, after: Decided) -> pl.DataFrame:
    """Return a batch's groups and keys, each row standing for one, and its use of every ask."""
    columns = [rows[path].alias(f"by {n}") for n, path in enumerate(question.by)]
    for n, ask in enumerate(question.asks):
        use = rows[USE + ask.key].fill_null(0).cast(pl.Int64) if USE + ask.key in rows.columns else _ones(height)
        sides = [(side.codes[n], side.permitted(n, question.discharges)) for side in (before, after)]
        columns += [pl.Series(f"key {n}", key_of((use > 0).to_numpy(), *sides)), use.alias(f"use {n}")]
    return pl.DataFrame(columns).with_columns(rows=pl.lit(1, pl.Int64))


def _grouped(known: pl.DataFrame | None, more: pl.DataFrame) -> pl.DataFrame:
    """Sum rows and use per group and keys, together with what is known of earlier batches."""
    names = [n for n in more.columns if n.startswith(("by ", "key "))]
    found = more.group_by(names).agg(pl.all().sum())
    return found if known is None else pl.concat([known, found]).group_by(names).agg(pl.all().sum())


def _tally(question: Question, groups: pl.DataFrame | None) -> Tally:
    tally = Tally(question)
    if groups is not None:
        asks = range(len(question.asks))
        names = (
            [f"by {n}" for n in range(len(question.by))],
            [f"key {n}" for n in asks],
            [f"use {n}" for n in asks],
        )
        sides = [groups.select(side).iter_rows() if side else iter([()] * groups.height) for side in names]
        for own, keys, use, rows in zip(*sides, groups["rows"], strict=True):
            tally.add(own, keys, rows, use)
    return tally


def _ones(height: int) -> pl.Series:
    return pl.Series(np.ones(height, np.int64))
