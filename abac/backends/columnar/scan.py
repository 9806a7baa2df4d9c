"""Decide a file that need not fit in memory: a lazy query is taken in batches, each encoded, decided, and let go.

The query is left lazy until a batch is asked for; reading it is Polars' part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from abac.backends.columnar.decide import Functions, Root, decide_many
from abac.backends.columnar.frame import Frame
from abac.backends.columnar.graph import Request
from abac.condition.schema import Assurance, Category, Schema

BATCH = 262_144
"""Rows decided at once."""


def scan(
    roots: Sequence[Root],
    subjects: pl.LazyFrame,
    schema: Schema,
    requests: Sequence[Request],
    functions: Functions,
    *,
    assurance: Mapping[str, Assurance] | None = None,
    complete: Mapping[str, bool] | None = None,
    keep: Sequence[str] = (),
    batch: int = BATCH,
) -> Iterator[pl.DataFrame]:
    """Yield per batch the columns of `keep` and a UInt8 column of decisions per root and request, as `0/3`.

    Rows come in the order of the query. Raises `PopulationError` as `Frame.encode` does; its row is the batch's.
    """
    for rows, frame in batches(subjects, schema, assurance=assurance, complete=complete, keep=keep, batch=batch):
        answers = decide_many(roots, frame, requests, functions)
        codes = [
            series.alias(f"{root}/{request}")
            for root, many in enumerate(answers)
            for request, series in enumerate(many)
        ]
        yield pl.DataFrame([*(rows[name] for name in keep), *codes])


def batches(
    subjects: pl.LazyFrame,
    schema: Schema,
    *,
    assurance: Mapping[str, Assurance] | None = None,
    complete: Mapping[str, bool] | None = None,
    keep: Sequence[str] = (),
    batch: int = BATCH,
) -> Iterator[tuple[pl.DataFrame, Frame]]:
    """Yield the rows of a query and the same encoded, a batch at a time, in order; no other column is read."""
    categories = tuple(f"{c.value}." for c in Category)
    names = [n for n in subjects.collect_schema().names() if n in keep or n.startswith(categories)]
    for rows in subjects.select(names).collect_batches(chunk_size=batch, maintain_order=True):
        yield rows, Frame.encode(rows, schema, assurance=assurance, complete=complete)
