"""Make a graph of stakes: from columns or one by one, records of one owner in one entity brought together.

What a graph holds and means is `graph`'s part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from abac.ownership.graph import UNKNOWN, WHOLE, Graph, Ints, Marks, Repeated, Stake, summed


def build(
    names: Sequence[str],
    owner: Ints,
    owned: Ints,
    low: Ints,
    high: Ints,
    *,
    line: Ints | None = None,
    closed: Marks | None = None,
    disclosed: Marks | None = None,
    repeated: Repeated = Repeated.EITHER,
    file: str = "<stakes>",
) -> Graph:
    """Return the graph of stakes given as columns; `high` is `UNKNOWN` where no upper bound is known.

    Records of one owner in one entity become one stake: added up, or with bounds from the largest alone to all of
    them together. An upper bound is lowered to what the other stakes leave of 100 percent at their least.
    """
    size = len(names)
    line = np.zeros(len(owner), np.int64) if line is None else line
    kept, low, high, twice = _merged(owner, owned, low, high, repeated)
    owner, owned, line = owner[kept], owned[kept], line[kept]
    left = np.maximum(WHOLE - summed(owned, low, size)[owned] + low, low)
    high = np.where(high == UNKNOWN, left, np.minimum(np.maximum(high, low), left))
    none = np.zeros(size, np.bool_)
    return Graph(
        names,
        owner,
        owned,
        low,
        high,
        line,
        none if closed is None else closed,
        none if disclosed is None else disclosed,
        np.flatnonzero(twice) if repeated is Repeated.EITHER else np.zeros(0, np.int64),
        file,
    )


def _merged(owner: Ints, owned: Ints, low: Ints, high: Ints, repeated: Repeated) -> tuple[Ints, Ints, Ints, Marks]:
    """Return one record per owner and owned: the index of its first, its bounds, and whether it was told twice."""
    pair = owned * (int(owner.max(initial=0)) + 1) + owner
    if not (np.diff(np.sort(pair)) == 0).any():
        return np.arange(len(pair)), low, high, np.zeros(len(pair), np.bool_)
    order = np.argsort(pair, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(pair[order]) != 0]))
    open_ended = np.maximum.reduceat(high[order] == UNKNOWN, starts)
    together = np.add.reduceat(np.where(high == UNKNOWN, 0, high)[order], starts)
    bound = np.where(open_ended, UNKNOWN, np.minimum(together, WHOLE))
    add = np.add if repeated is Repeated.APART else np.maximum
    counts = np.diff(np.append(starts, len(order)))
    return order[starts], add.reduceat(low[order], starts), bound, counts > 1


def graph_of(
    stakes: Iterable[Stake],
    *,
    also: Iterable[str] = (),
    closed: Iterable[str] = (),
    disclosed: Iterable[str] = (),
    repeated: Repeated = Repeated.EITHER,
    file: str = "<stakes>",
) -> Graph:
    """Return the graph of stakes; `also` names entities without one. Names are sorted, so order changes nothing.

    >>> found = graph_of([Stake.of("bad", "x", 0.6), Stake.of("good", "x", None)])
    >>> found.names, found.low.tolist(), found.high.tolist()
    (['bad', 'good', 'x'], [600000, 0], [600000, 400000])
    """
    rows = list(stakes)
    names = sorted({s.owner for s in rows} | {s.owned for s in rows} | {*also, *closed, *disclosed})
    place = {name: i for i, name in enumerate(names)}

    def column(values: Iterable[int]) -> Ints:
        return np.fromiter(values, np.int64, len(rows))

    def marked(chosen: Iterable[str]) -> Marks:
        marks = np.zeros(len(names), np.bool_)
        marks[[place[name] for name in chosen]] = True
        return marks

    return build(
        names,
        column(place[s.owner] for s in rows),
        column(place[s.owned] for s in rows),
        column(s.low for s in rows),
        column(s.high for s in rows),
        line=column(s.line for s in rows),
        closed=marked(closed),
        disclosed=marked(disclosed),
        repeated=repeated,
        file=file,
    )
