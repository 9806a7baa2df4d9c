"""The combining algorithms on bit sets: from the rules possible and certain to the decision of a whole tree.

Each node of the tree becomes a closure over the masks of its rules. Which rules are possible is `index`'s part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from abac.compiler.index import Index, Members, bits
from abac.policy.rule import Algorithm, Policy, PolicySet

Combine = Callable[[int, int], tuple[int, int]]
"""From masks (possible, certain) to the extended decision as an integer, and the mask of relevant rules."""


def combiner(root: Policy | PolicySet, index: Index) -> Combine:
    """Return the function that combines the masks of a whole tree."""
    return _node(root, index, iter(index.members))


def _node(node: Policy | PolicySet, index: Index, members: Iterator[Members]) -> Combine:
    if isinstance(node, Policy):
        part = _FLAT[node.algorithm](next(members), index)
        return _denied_by_default(part) if node.default_deny else part
    parts = tuple(_node(child, index, members) for child in node.children)
    alone = len(parts) == 1 and node.algorithm in _TRANSPARENT
    whole = parts[0] if alone else _SETS[node.algorithm](parts)
    return _denied_by_default(whole) if node.default_deny else whole


_DEFAULT_DENY = {1: 1, 2: 2, 4: 2, 5: 7, 6: 2, 7: 7}


def _denied_by_default(inner: Combine) -> Combine:
    def combine(possible: int, certain: int) -> tuple[int, int]:
        answer, relevant = inner(possible, certain)
        return _DEFAULT_DENY[answer], relevant

    return combine


# --- one policy, by masks: 1 PERMIT, 2 DENY, 4 NOT_APPLICABLE, and their unions (policy.decision.Extended) -------


def _flat(decide: Callable[[int, int, int, int], int]) -> Callable[[Members, Index], Combine]:
    """Make an order-free algorithm of a function over (possible, certain) permits and denies."""

    def make(members: Members, _: Index) -> Combine:
        permits, denies = members.permits, members.denies
        standing = permits | denies | members.riders

        def combine(possible: int, certain: int) -> tuple[int, int]:
            answer = decide(possible & permits, certain & permits, possible & denies, certain & denies)
            return answer, possible & standing

        return combine

    return make


def _deny_overrides(p: int, cp: int, d: int, cd: int) -> int:
    if cd:
        return 2
    if d:
        return 7 if p else 6
    return 1 if cp else 5 if p else 4


def _permit_overrides(p: int, cp: int, d: int, cd: int) -> int:
    if cp:
        return 1
    if p:
        return 7 if d else 5
    return 2 if cd else 6 if d else 4


def _first_applicable(members: Members, index: Index) -> Combine:
    permits, denies, riders = members.permits, members.denies, members.riders
    until = _window(index)

    def combine(possible: int, certain: int) -> tuple[int, int]:
        standing = possible & (permits | denies)
        first, window = until(standing, certain & standing)
        relevant = window | possible & riders
        if not window:
            return 4, relevant
        if first == window:
            return (1 if first & permits else 2), relevant
        return (1 if window & permits else 0) | (2 if window & denies else 0) | 4, relevant

    return combine


def _window(index: Index) -> Callable[[int, int], tuple[int, int]]:
    """Return a function that gives the first certain rule, and it with all standing ones before it.

    Slots fall as rules follow one another, so the first is the highest bit; only strays stand elsewhere.
    """
    rank, strays = index.rank, index.strays

    def until(standing: int, certain: int) -> tuple[int, int]:
        if not certain:
            return 0, standing
        if not standing & strays:
            top = certain.bit_length() - 1
            return 1 << top, standing >> top << top
        first = min(bits(certain), key=rank.__getitem__)
        last = rank[first]
        return 1 << first, sum(1 << n for n in bits(standing) if rank[n] <= last)

    return until


def _xacml_first_applicable(members: Members, index: Index) -> Combine:
    inner, rank = _first_applicable(members, index), index.rank

    def combine(possible: int, certain: int) -> tuple[int, int]:
        standing = possible & (members.permits | members.denies)
        _, relevant = inner(possible, certain)
        if not standing:
            return 4, relevant
        first = 1 << min(bits(standing), key=rank.__getitem__)
        return (1 if first & members.permits else 2) | (0 if first & certain else 4), relevant

    return combine


_FLAT: Mapping[Algorithm, Callable[[Members, Index], Combine]] = {
    Algorithm.DENY_OVERRIDES: _flat(_deny_overrides),
    Algorithm.PERMIT_OVERRIDES: _flat(_permit_overrides),
    Algorithm.FIRST_APPLICABLE: _first_applicable,
    Algorithm.DENY_UNLESS_PERMIT: _flat(lambda _p, cp, _d, _cd: 1 if cp else 2),
    Algorithm.PERMIT_UNLESS_DENY: _flat(lambda _p, _cp, d, cd: 2 if cd else 7 if d else 1),
    Algorithm.XACML_FIRST_APPLICABLE: _xacml_first_applicable,
    Algorithm.XACML_PERMIT_UNLESS_DENY: _flat(lambda _p, _cp, _d, cd: 2 if cd else 1),
}


# --- policy sets, by the answers of their children ---------------------------------------------------------


def _set(decide: Callable[[int, int], int]) -> Callable[[tuple[Combine, ...]], Combine]:
    """Make an order-free algorithm of a function over the answers seen (as bits 1 << answer) and their union."""

    def make(parts: tuple[Combine, ...]) -> Combine:
        def combine(possible: int, certain: int) -> tuple[int, int]:
            seen = relevant = union = 0
            for part in parts:
                answer, standing = part(possible, certain)
                seen |= 1 << answer
                union |= answer
                relevant |= standing
            return decide(seen, union), relevant

        return combine

    return make


_P, _D, _IP, _ID, _IDP = 1 << 1, 1 << 2, 1 << 5, 1 << 6, 1 << 7


def _deny_overrides_set(seen: int, union: int) -> int:
    if seen & _D:
        return 2
    if union & 2:
        return 7 if union & 1 else 6
    return 1 if seen & _P else 5 if union & 1 else 4


def _permit_overrides_set(seen: int, union: int) -> int:
    if seen & _P:
        return 1
    if union & 1:
        return 7 if union & 2 else 5
    return 2 if seen & _D else 6 if union & 2 else 4


def _in_order(stop: Callable[[int], bool]) -> Callable[[tuple[Combine, ...]], Combine]:
    def make(parts: tuple[Combine, ...]) -> Combine:
        def combine(possible: int, certain: int) -> tuple[int, int]:
            relevant = window = 0
            result: int | None = None
            for part in parts:
                answer, standing = part(possible, certain)
                relevant |= standing
                if result is None and stop(answer):
                    result = answer if not window else (window | answer) & 3 | 4
                window |= answer & 3
                if answer in (1, 2):
                    break
            return (result if result is not None else window & 3 | 4), relevant

        return combine

    return make


def _xacml_stop(answer: int) -> bool:
    return answer != 4  # noqa: PLR2004  # NOT_APPLICABLE


_SETS: Mapping[Algorithm, Callable[[tuple[Combine, ...]], Combine]] = {
    Algorithm.DENY_OVERRIDES: _set(_deny_overrides_set),
    Algorithm.PERMIT_OVERRIDES: _set(_permit_overrides_set),
    Algorithm.FIRST_APPLICABLE: _in_order(lambda answer: answer in (1, 2)),
    Algorithm.DENY_UNLESS_PERMIT: _set(lambda seen, _: 1 if seen & _P else 2),
    Algorithm.PERMIT_UNLESS_DENY: _set(lambda seen, union: 2 if seen & _D else 7 if union & 2 else 1),
    Algorithm.XACML_FIRST_APPLICABLE: _in_order(_xacml_stop),
    Algorithm.XACML_PERMIT_UNLESS_DENY: _set(lambda seen, _: 2 if seen & _D else 1),
}

_TRANSPARENT = (
    Algorithm.DENY_OVERRIDES,
    Algorithm.PERMIT_OVERRIDES,
    Algorithm.FIRST_APPLICABLE,
    Algorithm.XACML_FIRST_APPLICABLE,
)
"""The algorithms that give a single child's answer unchanged."""
