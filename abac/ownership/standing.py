"""Say of every entity whether it is blocked for certain, possibly, cannot be determined, or is not blocked.

Over the completions of `graph` (what is stated) and the undisclosed rest:

- *definite*: blocked in every completion, whoever the undisclosed owners are. A listed entity is.
- *possible*: not definite, and blocked in some completion although no undisclosed owner is blocked.
- *cannot determine*: not possible by what is stated, but blocked in some completion if undisclosed owners are
  blocked; or no completion exists, because shares come to over 100 percent or a closed entity's to less.
- *none*: blocked in no completion, whoever the undisclosed owners are.

Exact for readings that aggregate: stakes of different entities are completed independently, so the least
fixpoints of the least and of the most that blocked owners can hold are each reached by one completion, which is
the same for all entities at once (`tests/ownership/test_standing.py` counts completions out). Not exact, but
sound, is *definite* of a reading that looks at one owner alone, and both bounds of the reading that multiplies
through.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from abac.ownership.alone import spread_alone
from abac.ownership.graph import WHOLE, Graph, Ints, Marks
from abac.ownership.multiplied import multiplied
from abac.ownership.reading import OFAC, Reading
from abac.ownership.spread import NEVER, Bound, Spread, spread


class Answer(IntEnum):
    """Whether an entity is blocked, weakest first."""

    NONE = 0
    CANNOT_DETERMINE = 1
    POSSIBLE = 2
    DEFINITE = 3

    def __str__(self) -> str:
        return self.name.lower().replace("_", " ")

    @property
    def truth(self) -> bool | None:
        """Whether the rule applies: TRUE where definite, FALSE where none, else UNKNOWN."""
        return {Answer.DEFINITE: True, Answer.NONE: False}.get(self)


@dataclass(frozen=True)
class Standing:
    """The answers of one reading over one graph, by entity. `maybe` marks those who are possibly listed.

    `answer` holds codes of `Answer`. Blocked owners hold at least `low`, at most `high` by what is stated, and at
    most `highest` with undisclosed owners, in millionths; `spreads` is what the three bounds rest on.
    """

    graph: Graph
    listed: Marks
    maybe: Marks
    reading: Reading
    answer: npt.NDArray[np.uint8]
    low: Ints
    high: Ints
    highest: Ints
    spreads: dict[Bound, Spread]

    def __getitem__(self, name: str) -> Answer:
        return Answer(int(self.answer[self.graph.place[name]]))

    def marked(self, answer: Answer) -> Marks:
        """Return which entities have that answer."""
        found: Marks = self.answer == answer
        return found

    def counts(self) -> dict[str, int]:
        """Return how many entities have each answer, strongest first; listed ones are counted apart."""
        told = np.bincount(self.answer[~self.listed], minlength=len(Answer))
        return {"listed": int(self.listed.sum())} | {str(a): int(told[a]) for a in reversed(Answer)}

    @property
    def marked_listed(self) -> Marks:
        """Who is listed, or possibly so."""
        found: Marks = self.listed | self.maybe
        return found

    @cached_property
    def nearest(self) -> npt.NDArray[np.float64]:
        """Of every entity the share (0 to 1) that blocked owners hold, NaN where it may be enough or not.

        Where it is enough for sure it is the least share, where it cannot be enough the highest that can be: right
        in every comparison with the reading's threshold, and exact where the bounds meet.
        """
        enough, short = self.low >= self.reading.least, self.highest < self.reading.least
        share = np.where(enough, self.low, self.highest) / WHOLE
        found: npt.NDArray[np.float64] = np.where(enough | short, share, np.nan)
        return found


def standing(graph: Graph, listed: Marks, by: Reading = OFAC, maybe: Marks | None = None) -> Standing:
    """Return what a reading says of every entity of the graph; `listed` marks the listed ones.

    `maybe` marks entities that are possibly listed, such as a likeness of names that nobody has looked into: they
    are listed in some completions and not in others.

    >>> from abac.ownership.building import graph_of

    >>> from abac.ownership.graph import Stake
    >>> stakes = graph_of([Stake.of("bad", "x", 0.4), Stake.of("who", "x", None), Stake.of("bad", "y", 0.6)])
    >>> found = standing(stakes, marks(stakes, ["bad", "who"]))
    >>> [(name, str(found[name])) for name in "xy"]
    [('x', 'possible'), ('y', 'definite')]
    """
    perhaps = np.zeros(len(graph), np.bool_) if maybe is None else maybe & ~listed
    wide: Marks = listed | perhaps
    spreads = {bound: _spread(graph, listed if bound is Bound.LEAST else wide, bound, by) for bound in Bound}
    least, most, undisclosed = (spreads[b] for b in (Bound.LEAST, Bound.MOST, Bound.UNDISCLOSED))
    answer = np.zeros(len(graph), np.uint8)
    answer[undisclosed.blocked] = Answer.CANNOT_DETERMINE
    answer[most.blocked] = Answer.POSSIBLE
    answer[graph.faulty & ~perhaps] = Answer.CANNOT_DETERMINE
    answer[least.blocked | listed] = Answer.DEFINITE
    return Standing(graph, listed, perhaps, by, answer, least.held, most.held, undisclosed.held, spreads)


def _spread(graph: Graph, listed: Marks, bound: Bound, by: Reading) -> Spread:
    if by.multiplied:
        held = multiplied(graph, listed, bound)
        rounds = np.where(listed, 0, np.where(held >= by.least, 1, NEVER)).astype(np.int64)
        return Spread(rounds, held)
    if by.aggregate or bound is Bound.UNDISCLOSED:
        return spread(graph, listed, bound, by.least)
    return spread_alone(graph, listed, bound, by.least)


def marks(graph: Graph, names: Iterable[str]) -> Marks:
    """Return the entities of the graph with these names as marks; names it does not have are left out."""
    found = np.zeros(len(graph), np.bool_)
    found[[graph.place[name] for name in names if name in graph.place]] = True
    return found
