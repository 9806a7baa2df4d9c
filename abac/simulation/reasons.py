"""Why an answer changed: a second pass on the changed rows only, through the point decision.

Rows on which everything stands alike have the same reasons, so one of them is decided for all. Subjects appear by
pseudonym, and no nationality appears, unless the caller asks to identify.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from abac.backends import columnar
from abac.compiler.program import Program
from abac.condition.expr import AllOf, AnyOf, Comparison, Condition, Holds, Member, walk
from abac.condition.schema import Category
from abac.pdp.decide import decide
from abac.policy.decision import Decision, Effect, Extended, Outcome
from abac.policy.request import Request
from abac.simulation.change import Change
from abac.simulation.population import ID, words

COLUMNS = ("subject", "directive", "before", "after", "models", "reason", "kind", "relation")
SHOWN = ("subject.kind", "subject.relation")


def people(
    directive: str, change: Change, after: Program, frame: columnar.Frame, *, identify: bool
) -> pl.DataFrame:
    """Return one row per subject whose answer changed under a directive, with the reason; see `COLUMNS`.

    `frame` is the population's encoded columns. With `identify`, subjects stand by their own id and every
    attribute on file is added.
    """
    rows = np.flatnonzero(change.changed())
    picked = change.population.asserted[rows]
    told, group = _told(change, after, frame, rows)
    subjects = picked[ID].to_list() if identify else pseudonyms(change.population.salt, picked[ID])
    people = pl.DataFrame(
        {
            "subject": pl.Series(subjects, dtype=pl.String),
            "directive": pl.Series([directive], dtype=pl.String).new_from_index(0, len(rows)),
            **{
                name: pl.Series([t[name] for t in told], dtype=pl.String).gather(group)
                for name in ("before", "after", "models", "reason")
            },
            "kind": words(picked, "subject.kind"),
            "relation": words(picked, "subject.relation"),
        }
    )
    own = [c for c in picked.columns if "@" not in c and c not in (ID, *SHOWN)] if identify else []
    return people.hstack([picked[c] for c in own]).sort("subject")


def pseudonyms(secret: str, ids: pl.Series) -> list[str]:
    """Return a pseudonym per id: the first 80 bits of its SHA-256, salted with what only the population tells."""
    salt = hashlib.sha256(secret.encode())
    names: list[str] = []
    for one in ids:
        salted = salt.copy()
        salted.update(str(one).encode())
        names.append(salted.hexdigest()[:20])
    return names


def _read(program: Program) -> frozenset[str]:
    """Return the subject attributes that a program reads."""
    return frozenset(p for p in program.index.attributes if p.startswith(f"{Category.SUBJECT.value}."))


@dataclass(frozen=True, slots=True)
class _Move:
    """One way in which an answer to one ask changed: from, to, and why."""

    model: str
    before: str
    after: str
    reason: str


def _told(
    change: Change, after: Program, frame: columnar.Frame, rows: NDArray[np.int64]
) -> tuple[list[dict[str, str]], NDArray[np.int64]]:
    """Return what is told of each group of changed rows, and the group of each row."""
    moves: list[list[_Move | None]] = []
    groups = Pattern(len(rows))
    for i in range(len(change.asks)):
        moved = change.used(i)[rows] & (change.before.codes[i][rows] != change.after.codes[i][rows])
        kinds, which = _moves(change, after, frame, rows[moved], i)
        column = np.zeros(len(rows), np.int64)
        column[moved] = which + 1
        moves.append([None, *kinds])
        groups.add(column, len(kinds) + 1)
    firsts, group = groups.distinct()
    columns = groups.columns
    return [_words([moves[i][columns[i][f]] for i in range(len(moves))]) for f in firsts], group


def _moves(
    change: Change, after: Program, frame: columnar.Frame, rows: NDArray[np.int64], index: int
) -> tuple[list[_Move], NDArray[np.int64]]:
    """Return the distinct ways in which the answers of `rows` to one ask changed, and the way of each row.

    Rows on which every atom of the program stands alike, and on which the same attributes are known, have the
    same outcome, so one of them is decided for all.
    """
    if not len(rows):
        return [], np.zeros(0, np.int64)
    ask, read = change.asks[index], _read(after)
    pattern = Pattern(len(rows))
    pattern.add(change.before.codes[index][rows].astype(np.int64), 8)
    for truth in columnar.truths(_atoms(after), frame, ask.fixed(change.at, after.schema), after.functions):
        pattern.add(truth.gather(rows).cast(pl.Int64).fill_null(2).to_numpy(), 3)
    picked = change.population.asserted[rows]
    for column in picked.select([c for c in picked.columns if c.split("@")[0] in read]):
        pattern.add(*_known(column))
    firsts, which = pattern.distinct()
    return [_move(change, after, picked, rows, int(f), index, read) for f in firsts], which


def _atoms(program: Program) -> list[Condition]:
    """Return the distinct atoms of a program: its conditions below `!`, `&&` and `||`."""
    nodes = (n for slot in program.index.rules.values() for n in walk(slot.condition))
    return list(dict.fromkeys(n for n in nodes if isinstance(n, Holds | Comparison | Member | AnyOf | AllOf)))


def _known(column: pl.Series) -> tuple[NDArray[np.int64], int]:
    """Return codes that tell rows apart by what a column says of being known, and how many codes there are."""
    if column.name.endswith(("@assurance", "@complete", "@elements")):
        texts = (
            column.list.eval(pl.element().cast(pl.String)).list.join(",") if column.dtype.is_nested() else column
        )
        codes = texts.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
        return codes, int(codes.max(initial=0)) + 1
    return column.is_null().cast(pl.Int64).to_numpy(), 2


def _move(
    change: Change,
    after: Program,
    picked: pl.DataFrame,
    rows: NDArray[np.int64],
    place: int,
    index: int,
    read: frozenset[str],
) -> _Move:
    ask, row = change.asks[index], int(rows[place])
    subject = subject_of(change, picked, place, read)
    outcome = decide(after, Request(subject, ask.action, ask.model.attributes, {"now": change.at}))
    before, now = (Extended(int(d.codes[index][row])).decision.value for d in (change.before, change.after))
    return _Move(ask.model.id, before, now, reason(outcome))


def why(change: Change, after: Program, row: int) -> str:
    """Return why the answers of one subject changed."""
    rows = np.array([row], np.int64)
    picked, read = change.population.asserted[rows], _read(after)
    moved = [
        i
        for i in range(len(change.asks))
        if change.used(i)[row] and change.before.codes[i][row] != change.after.codes[i][row]
    ]
    moves = [_move(change, after, picked, rows, 0, i, read) for i in moved]
    return _words(moves)["reason"]


def _words(moves: Sequence[_Move | None]) -> dict[str, str]:
    own = [m for m in moves if m is not None]
    return {
        "before": ", ".join(dict.fromkeys(m.before for m in own)),
        "after": ", ".join(dict.fromkeys(m.after for m in own)),
        "models": ", ".join(sorted({m.model for m in own})),
        "reason": "; ".join(dict.fromkeys(m.reason for m in own)),
    }


class Pattern:
    """Tells rows apart by columns of small codes, added one by one."""

    def __init__(self, rows: int) -> None:
        self._key = np.zeros(rows, np.int64)
        self._size = 1
        self.columns: list[NDArray[np.int64]] = []

    def add(self, codes: NDArray[np.int64], size: int) -> None:
        """Add a column whose codes are from 0 to `size` less one."""
        self.columns.append(codes)
        if self._size * size >= 2**62:
            self._key = np.unique(self._key, return_inverse=True)[1].astype(np.int64)
            self._size = int(self._key.max(initial=0)) + 1
        self._key = self._key * size + codes
        self._size *= size

    def distinct(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the first row of each distinct pattern, and the number of each row's pattern."""
        _, firsts, which = np.unique(self._key, return_index=True, return_inverse=True)
        return firsts.astype(np.int64), which.astype(np.int64)


def subject_of(change: Change, frame: pl.DataFrame, place: int, read: frozenset[str]) -> dict[str, Any]:
    """Return what is on file of the subject in one row, with its assurance, as a request gives it."""
    population = change.population
    values = frame.row(place, named=True)
    subject: dict[str, Any] = {}
    for path in read:
        value = values[path]
        if value is None:
            continue
        definition = population.schema[path]
        level = values.get(f"{path}@assurance")
        default = population.assurance.get(path, definition.assurance)
        stated: dict[str, Any] = {
            "value": value,
            "assurance": str(default if level is None else type(default)(level)),
        }
        if definition.is_set:
            whole = values.get(f"{path}@complete")
            stated["complete"] = population.complete.get(path, definition.complete) if whole is None else whole
            stated["value"] = _elements(value, values.get(f"{path}@elements"), stated["assurance"], type(default))
        subject[definition.name] = stated
    return subject


def _elements(values: Sequence[Any], levels: Sequence[int] | None, own: str, kind: Any) -> list[Any]:
    if levels is None:
        return list(values)
    return [
        {"value": v, "assurance": own if level is None else str(kind(level))}
        for v, level in zip(values, levels, strict=True)
    ]


def reason(outcome: Outcome) -> str:
    """Return why a request was decided so, in a few words that name rule or clause and what is not known."""
    if outcome.decision is Decision.INDETERMINATE:
        cited = [str(r) for r in outcome.reasons if r.effect is Effect.DENY] or [str(r) for r in outcome.reasons]
        missing = ", ".join(name.split(".", 1)[-1] for name in outcome.unknown)
        return f"cannot be decided without {missing}: {'; '.join(cited)}"
    told = "; ".join(map(str, outcome.reasons)) or f"{outcome.decision.value}: no rule applies"
    owed = ", ".join(o.id for o in outcome.obligations)
    return f"{told}, owing {owed}" if owed else told
