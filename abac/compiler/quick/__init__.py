"""The quick way: one function per program, written out for requests of the usual shape.

Usual is a request of plain dictionaries from a source whose bare values have the schema's assurance, with a bare
value for every attribute that rules read, by a caller who discharges nothing. The function looks up what each
value leaves standing, joins that, and if nothing is unknown and no closure is left to ask, goes on in two truths,
straight to a remembered outcome. `straight` and `deciding` write its halves; `partial` writes the one for requests
in which attributes are absent. Anything else goes to `runner`, which does the same in general; equal answers are
held by tests.

The text depends on the shape of a program alone (attributes, algorithms), so it is compiled once for all programs
of one shape; no policy text ever enters it: names of attributes enter as `repr` of strings, masks as variables.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any

from abac.compiler.quick.deciding import Paged, Whole, deciding
from abac.compiler.quick.partial import Partial
from abac.compiler.quick.straight import Straight, usable
from abac.compiler.quick.text import Text
from abac.compiler.runner import Runner
from abac.policy.decision import Outcome
from abac.policy.request import Request
from abac.policy.rule import Policy, PolicySet

Run = Callable[[Request, frozenset[str]], Outcome]
"""From a request, and the obligations its caller discharges, to the outcome."""


def generate(root: PolicySet, way: Runner) -> Run:
    """Return the quick function of a program; it falls back to `way`, and is `way` where no shape is usual."""
    if not _usual(root):
        return way.run
    index, outcomes = way.index, way.outcomes
    text = Text({"careful": way.run, "settle": way.settle})
    Partial(text, index, way.unread).write()
    left = usable(index)
    straight = Straight(text, index, way.unread, left)
    at = straight.write()
    if left is None:
        deciding(text, root, index, outcomes, Whole(text, index, outcomes))
    else:
        paged = Paged(text, index, outcomes, left)
        deciding(text, root, index, outcomes, paged)
        text.lines[at : at + 2] = ["    " * 3 + line for line in paged.place(straight.pivot, straight.doubles)]
    names = ", ".join(text.values)
    source = "\n".join([f"def make({names}):", *text.lines, "    return run"])
    space: dict[str, Any] = {"__builtins__": _BUILT_IN}
    exec(_compiled(source), space)  # noqa: S102  # our own text: see the module's docstring
    made: Run = space["make"](**text.values)
    return made


_BUILT_IN = {"len": len, "bisect": bisect_right, "KeyError": KeyError} | {
    c.__name__: c for c in (dict, list, str, int, float, bool)
}


@lru_cache(maxsize=256)
def _compiled(source: str) -> CodeType:
    return compile(source, "<abac decision>", "exec")


def _usual(node: Policy | PolicySet) -> bool:
    """Whether two truths can be combined here: no policy set goes in order, no algorithm is the standard's own."""
    if node.algorithm.value.startswith("xacml-"):
        return False
    if isinstance(node, Policy):
        return True
    return not node.algorithm.in_order and all(_usual(child) for child in node.children)
