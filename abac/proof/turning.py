"""For each boundary value a request with that value which two programs decide otherwise, or that there is none.

Cases drawn in pairs seldom meet all that a change asks for together; here the solver looks for what the draw
missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from abac.backends.smt import Guard, Halted, Lit, World
from abac.compiler.program import Program
from abac.condition.reference import Assertion
from abac.proof.answer import Case
from abac.proof.decisions import Equivalent
from abac.proof.prove import Nothing, Search
from abac.proof.question import functions_of
from abac.proof.witness import Broken, by_engine

TRIES = 20
"""Requests tried for one value before tests outside the encoding are taken to stand in the way."""


@dataclass(frozen=True, slots=True)
class Turning:
    """Requests that are decided otherwise, each once, and of how many boundary values there is one.

    `never` counts the values with which everything is decided alike, proved; `undecided` those left open.
    """

    cases: tuple[Mapping[str, Assertion], ...] = ()
    changing: int = 0
    never: int = 0
    undecided: int = 0


NOT_LOOKED_FOR = Turning()
"""What stands where all combinations were decided, and nothing is left to look for."""


def turning(
    before: Program,
    after: Program,
    values: Mapping[str, Sequence[Assertion | None]],
    *,
    most: int,
    seconds: float,
) -> Turning:
    """Return up to `most` requests at boundary values that two programs decide otherwise, within a time."""
    question = Equivalent(before, after)
    asked = [(path, one) for path, found in values.items() for one in found]
    with Guard(seconds) as guard:
        try:
            functions = functions_of(question.programs.values())
            world = World(question.conditions(), functions, halted=lambda: guard.expired)
            goal = question.goal(world)
            broken = partial(question.broken, decide=by_engine)
            return _looked_for(broken, goal, Search(world, guard, tries=TRIES), world, asked, most)
        except Halted:
            return Turning(undecided=len(asked))


def _looked_for(
    broken: Broken,
    goal: Lit,
    search: Search,
    world: World,
    asked: Sequence[tuple[str, Assertion | None]],
    most: int,
) -> Turning:
    found: dict[str, Mapping[str, Assertion]] = {}
    changing = never = 0
    for path, one in asked:
        if len(found) == most:
            break
        others = [lit for p in world.asserted if p != path for lit in world.in_full(p)]
        answer = search.settle([goal, *world.says(path, one)], broken, [others])
        if isinstance(answer, Case):
            changing += 1
            found.setdefault(repr(sorted(answer.asserted.items())), answer.asserted)
        never += isinstance(answer, Nothing)
    return Turning(tuple(found.values()), changing, never, len(asked) - changing - never)
