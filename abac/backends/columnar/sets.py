"""Columns of sets, dictionary-encoded: one code per distinct (elements, their assurances, completeness).

A table over the dictionary then answers any question that reads one set column; `view` says what of every entry
counts when a policy demands more. Lists come in through `encode_sets`; set operators are `atoms`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from abac.backends.columnar.bits import Flags
from abac.backends.columnar.door import admit_column, inward, refuse, refuse_where
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition
from abac.condition.types import ScalarType, SetType

Places = npt.NDArray[np.intp]
Rows = npt.NDArray[np.uint32]
"""A code per row."""
Levels = npt.NDArray[np.uint8]


EMPTY, ABSENT, WHOLE, PARTIAL = range(4)
"""How a set stands: known to be empty; not known at all; all of its elements known, and some; else."""


@dataclass(frozen=True, slots=True)
class View:
    """What is known of every dictionary entry at one demand; the last entry stands for an absent set.

    `owner` and `word` list the elements kept: the entry each belongs to, and its place among `places`.
    """

    codes: Rows
    places: Mapping[Any, int]
    owner: Places
    word: Places
    size: Places
    status: Levels


@dataclass(frozen=True, slots=True)
class Written:
    """A set that is the same on every row, elements as behind the door."""

    values: frozenset[Any]
    status: int


@dataclass(frozen=True, slots=True)
class Sets:
    """A column of sets: a code per row, and of every entry its elements, their levels, its own, and completeness.

    The code of an absent set is the number of entries. `places` numbers all elements, as behind the door.
    """

    codes: Rows
    places: Mapping[Any, int]
    owner: Places
    word: Places
    word_level: Levels
    level: Levels
    complete: Flags

    def view(self, least: Assurance) -> View:
        """Return what is known at a demand: elements below it are dropped, and the set is then not whole."""
        kept = self.word_level >= least
        entries = len(self.level)
        size = np.bincount(self.owner[kept], minlength=entries + 1)
        asserted = np.bincount(self.owner, minlength=entries + 1)
        whole = np.append(self.complete & (self.level >= least), False) & (size == asserted)  # absent
        status = np.where(whole, np.where(size == 0, EMPTY, WHOLE), PARTIAL).astype(np.uint8)
        status[entries] = ABSENT
        return View(self.codes, self.places, self.owner[kept], self.word[kept], size, status)


Entry = tuple[frozenset[tuple[Any, int]], int, bool]
"""Elements with their levels, the set's level, and whether it is complete."""


def of_entries(codes: Rows, entries: list[Entry]) -> Sets:
    """Build a column from its dictionary, elements as behind the door."""
    places: dict[Any, int] = {}
    flat = [
        (n, places.setdefault(e, len(places)), own) for n, (held, _, _) in enumerate(entries) for e, own in held
    ]
    owner, word, own = np.array(flat, np.intp).reshape(-1, 3).T
    levels = np.array([level for _, level, _ in entries], np.uint8)
    complete = np.array([complete for _, _, complete in entries], np.bool_)
    return Sets(codes, places, owner.copy(), word.copy(), own.astype(np.uint8), levels, complete)


def sets_of(given: Sequence[Assertion | None], element: ScalarType) -> Sets:
    """Encode one asserted set per row."""
    entries = [_asserted(a, element) for a in given if a is not None]
    codes, known = np.full(len(given), len(entries), np.uint32), [n for n, a in enumerate(given) if a is not None]
    codes[known] = np.arange(len(entries))
    return of_entries(codes, entries)


def _asserted(assertion: Assertion, element: ScalarType) -> Entry:
    own = dict(assertion.elements)
    values: frozenset[Any] = assertion.value  # type: ignore[assignment]  # a set attribute
    held = frozenset((inward(e, element), int(own.get(e, assertion.assurance))) for e in values)
    return held, int(assertion.assurance), assertion.complete


def written(assertion: Assertion | None, element: ScalarType, least: Assurance) -> Written:
    """Return what an assertion makes known at a demand, for all rows alike."""
    if assertion is None:
        return Written(frozenset(), ABSENT)
    own = dict(assertion.elements)
    asserted: frozenset[Any] = assertion.value  # type: ignore[assignment]  # a set attribute
    values = frozenset(inward(e, element) for e in asserted if own.get(e, assertion.assurance) >= least)
    if not assertion.complete or assertion.assurance < least or len(values) < len(asserted):
        return Written(values, PARTIAL)
    return Written(values, WHOLE if values else EMPTY)


def encode_sets(
    definition: AttributeDefinition,
    values: pl.Series,
    levels: pl.Series,
    complete: pl.Series,
    own: pl.Series | None,
) -> Sets:
    """Encode a list column with its assurances, its completeness and, where given, its elements' assurances."""
    assert isinstance(definition.type, SetType)  # noqa: S101  # the caller asked for the sets of the schema
    column, element = definition.path, definition.type.element
    if values.dtype != pl.Null and not isinstance(values.dtype, pl.List):
        refuse(column, None, f"expected {definition.type}, got {values.dtype}")
    values = values.cast(pl.List(pl.Null)) if values.dtype == pl.Null else values
    refuse_where(column, values.list.drop_nulls().list.len() != values.list.len(), "null inside a set")
    own = pl.Series([None] * len(values), dtype=pl.List(pl.UInt8)) if own is None else own.cast(pl.List(pl.UInt8))
    refuse_where(f"{column}@elements", own.list.len() != values.list.len(), "not as long as the set")
    refuse_where(f"{column}@elements", own.list.max() > max(Assurance), "not an assurance from 0 to 3")
    keys = pl.DataFrame(
        {"values": _admitted(column, values, element), "level": levels, "complete": complete, "own": own}
    )
    groups = keys.with_row_index("row").filter(pl.col("values").is_not_null()).group_by(keys.columns).agg("row")
    entries: dict[Entry, int] = {}
    merged = [entries.setdefault(_entry(*row), len(entries)) for row in groups.select(keys.columns).iter_rows()]
    codes = np.full(len(values), len(entries), np.uint32)
    rows = groups["row"]
    if len(rows):
        codes[rows.explode().to_numpy()] = np.repeat(np.array(merged, np.uint32), rows.list.len().to_numpy())
    return of_entries(codes, list(entries))


def _admitted(column: str, values: pl.Series, element: ScalarType) -> pl.Series:
    """Return the lists with their elements in the form they have behind the door."""
    lengths = values.list.len()
    flat = values.filter(lengths > 0).explode()
    try:
        inner = admit_column(column, flat, element)
    except Exception:
        _locate(column, values, element)
        raise
    table = pl.DataFrame({"row": _owners(lengths), "e": inner})
    lists = table.group_by("row", maintain_order=True).agg("e")
    every = pl.DataFrame(
        {"row": pl.arange(0, len(values), dtype=pl.UInt32, eager=True), "was": values.is_not_null()}
    )
    joined = every.join(lists, on="row", how="left", maintain_order="left")
    empty = pl.lit([], dtype=pl.List(inner.dtype))
    return joined.select(pl.when(pl.col("was")).then(pl.col("e").fill_null(empty)))["e"]


def _owners(lengths: pl.Series) -> pl.Series:
    return pl.Series(np.repeat(np.arange(len(lengths), dtype=np.uint32), lengths.fill_null(0).to_numpy()))


def _locate(column: str, values: pl.Series, element: ScalarType) -> None:
    """Refuse the first row whose own elements are wrong: the flat column's rows are not the frame's."""
    for row in range(len(values)):
        held = values[row]
        if held is not None and len(held):
            try:
                admit_column(column, held, element)
            except Exception as wrong:  # noqa: BLE001  # re-raised with the right row
                refuse(column, row, str(wrong).rsplit(": ", 1)[-1])


def _entry(values: list[Any], level: int, complete: bool, own: list[int | None] | None) -> Entry:
    """One dictionary entry; an element asserted twice has the better of the two."""
    levels: dict[Any, int] = {}
    for n, element in enumerate(values):
        mine = own[n] if own else None
        mine = level if mine is None else mine
        levels[element] = max(mine, levels.get(element, mine))
    return frozenset(levels.items()), level, complete
