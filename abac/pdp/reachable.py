"""What a tree may still answer while it is open how some of its rules stand.

The question the search for a counterfactual asks to cut branches. Each algorithm is run over *sets* of answers by
`policy.combining` itself, so this module knows nothing of what an algorithm means. It takes rules for
independent of one another: what it leaves out cannot happen, what it leaves in may not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from abac.condition.truth import FALSE, TRUE, UNKNOWN, Truth
from abac.policy.combining import COMBINE, denied_by_default
from abac.policy.decision import Effect, Extended
from abac.policy.reference import ANSWER
from abac.policy.rule import Algorithm, Policy, PolicySet

F, U, T = 1 << FALSE, 1 << UNKNOWN, 1 << TRUE
"""Sets of truths are small integers, one bit a truth."""

Answers = frozenset[Extended]
Seen = tuple[Extended, ...]
"""The distinct answers of the children so far: in order where order counts, else sorted."""

ENDS = (Extended.PERMIT, Extended.DENY)
BY_TRUTHS: dict[tuple[Effect, int], Answers] = {
    (effect, truths): frozenset(ANSWER[effect, truth] for truth in Truth if truths >> truth & 1)
    for effect in Effect
    for truths in range(1, 8)
}
"""What a rule may answer whose truth is one of a set."""


class Reach:
    """The answers that a tree may give, from those that each of its rules may give."""

    def __init__(self, root: Policy | PolicySet) -> None:
        self._root = root
        self._steps: dict[tuple[bool, frozenset[Seen], Answers], frozenset[Seen]] = {}
        self._found: dict[tuple[tuple[Answers, ...], ...], Answers] = {}

    def answers(self, given: Iterable[Sequence[Answers]]) -> Answers:
        """Return the possible answers of the root.

        `given` has for each policy, in the order of the tree, what its rules may answer, in their order where that
        counts; what is not applicable whatever happens may be left out.
        """
        key = tuple(tuple(each) for each in given)
        if key not in self._found:
            self._found[key] = self._node(self._root, iter(key))
        return self._found[key]

    def _node(self, node: Policy | PolicySet, given: Iterator[Sequence[Answers]]) -> Answers:
        each: Sequence[Answers] = (
            next(given) if isinstance(node, Policy) else [self._node(child, given) for child in node.children]
        )
        combine = COMBINE[node.algorithm]
        found = {combine(seen) for seen in self._seen(node.algorithm, each)}
        return frozenset(denied_by_default(a) for a in found) if node.default_deny else frozenset(found)

    def _seen(self, algorithm: Algorithm, each: Sequence[Answers]) -> frozenset[Seen]:
        if not algorithm.in_order:  # INVARIANT: equal sets say nothing new once each answer had its turn
            each = [a for a, times in Counter(each).items() for _ in range(min(times, len(a)))]
        seen: frozenset[Seen] = frozenset({()})
        for answers in each:
            key = (algorithm.in_order, seen, answers)
            if key not in self._steps:
                self._steps[key] = frozenset(_after(s, a, algorithm.in_order) for s in seen for a in answers)
            seen = self._steps[key]
        return seen


def _after(seen: Seen, answer: Extended, in_order: bool) -> Seen:
    if answer is Extended.NOT_APPLICABLE or answer in seen or (in_order and seen and seen[-1] in ENDS):
        return seen
    return (*seen, answer) if in_order else tuple(sorted((*seen, answer)))


def all_of(each: Iterable[int]) -> int:
    """Return the truths that a conjunction may have, from those its parts may have.

    >>> all_of([F | T, U]) == F | U
    True
    """
    least = T
    for truths in each:
        least = _pairwise(least, truths, min)
    return least


def any_of(each: Iterable[int]) -> int:
    """Return the truths that a disjunction may have."""
    most = F
    for truths in each:
        most = _pairwise(most, truths, max)
    return most


def turned(truths: int) -> int:
    """Return the truths of the negation."""
    return (truths & U) | (F if truths & T else 0) | (T if truths & F else 0)


def _pairwise(left: int, right: int, choose: object) -> int:
    if left & (left - 1) == 0 and left == (T if choose is min else F):
        return right
    found = 0
    for a in Truth:
        for b in Truth:
            if left >> a & 1 and right >> b & 1:
                found |= 1 << choose(a, b)  # type: ignore[operator]  # min or max
    return found
