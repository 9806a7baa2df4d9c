"""Which attribute to verify next: how the decidable share rises with each attribute that is on file of everybody.

Alone, and in greedy order. Attributes help one another (who is no citizen may still be a permanent resident), so
that an attribute worth nothing alone can be worth much after another; where no single one helps, the greedy order
takes the pair that helps most. Greedy is not always best: `exact` finds the best set of every size where there are
few enough attributes to try them all.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

from abac.simulation.stress import intervals
from abac.simulation.stress.engine import Engine
from abac.simulation.stress.setting import Setting

MOST_EXACT = 8
"""Up to so many attributes all their sets are tried: 256 settings."""

Decidable = Callable[[frozenset[str]], float]


def collecting(engine: Engine, study: str, setting: Setting) -> dict[str, Any]:
    """Return what a study could decide with more on file, each attribute alone and in greedy order, with its cost.

    `setting` is what is on file to begin with. Costs are the test's, per subject; an attribute without one has
    None. `exact` is the best set of each size, or None where there are too many attributes to try.
    """
    known: dict[frozenset[str], float] = {}

    def decidable(collected: frozenset[str]) -> float:
        if collected not in known:
            tally = engine.tally(study, setting, collected)
            share, _ = intervals.ratio(engine.design, tally.decided, tally.requests)
            known[collected] = 0.0 if share is None else share
        return known[collected]

    attributes, costs = engine.bound(study, setting["reading"]).reads(), engine.stressed.test.costs
    start = decidable(frozenset())
    # Only what can matter: what, taken out of everything, or put in alone, makes a difference.
    whole = frozenset(attributes)
    useful = [
        a for a in attributes if decidable(frozenset({a})) > start or decidable(whole - {a}) < decidable(whole)
    ]
    single = [
        {"attribute": a, "decidable": decidable(frozenset({a})), "cost": costs.get(a)}
        for a in sorted(useful, key=lambda a: (-decidable(frozenset({a})), a))
    ]
    return {
        "study": study,
        "on_file": start,
        "with_everything": decidable(whole),
        "single": single,
        "greedy": greedy(useful, decidable, costs),
        "exact": exact(useful, decidable) if len(useful) <= MOST_EXACT else None,
    }


def greedy(attributes: list[str], decidable: Decidable, costs: Any) -> list[dict[str, Any]]:
    """Return the order in which the most is gained at every step, until nothing more is.

    `per_cost` is the rise for one unit of cost, where the costs of a step are known.
    """
    held: frozenset[str] = frozenset()
    steps: list[dict[str, Any]] = []
    while left := [a for a in attributes if a not in held]:
        before = decidable(held)
        alone = any(decidable(held | {a}) > before for a in left)
        choices = list(combinations(left, 1 if alone else 2))
        if not choices:
            break
        step = min(choices, key=lambda c: (-decidable(held | set(c)), c))
        after = decidable(held | set(step))
        if after <= before:
            break
        cost = None if any(costs.get(a) is None for a in step) else sum(costs[a] for a in step)
        steps.append(
            {
                "attributes": list(step),
                "decidable": after,
                "rise": after - before,
                "cost": cost,
                "per_cost": (after - before) / cost if cost else None,
            }
        )
        held |= set(step)
    return steps


def exact(attributes: list[str], decidable: Decidable) -> list[dict[str, Any]]:
    """Return the best set of every size, by trying them all; of equals the first in alphabetical order."""
    found = []
    for size in range(1, len(attributes) + 1):
        best = min(combinations(attributes, size), key=lambda c: (-decidable(frozenset(c)), c))
        found.append({"attributes": list(best), "decidable": decidable(frozenset(best))})
    return found
