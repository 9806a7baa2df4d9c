"""The index of the next program, made from that of the last where few rules came or went.

Rules that stay keep their slots; new ones, never in parts, take free slots and a rank between their neighbours,
and only what they read is sorted. So publishing a change costs a pass over the rules' names, not over their
conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from abac.compiler.index import GAP, Index, Members, Slot, conjuncts, extended
from abac.compiler.index.masks import toggled
from abac.policy.rule import Policy, PolicySet, Rule, policies


@dataclass(slots=True)
class _Place:
    """A rule in the order of the tree: its slot if it stays, and the policy it stands in."""

    rule: Slot
    policy: int
    slot: int | None


def successor(index: Index, before: PolicySet, after: PolicySet) -> Index | None:
    """Return the index of `after`, from that of `before`; None where the rules must be sorted anew.

    Rules that stay must be the same objects, in the same order and in the same policy.
    """
    if _frame(before) != _frame(after):
        return None
    places = list(_places(index, after))
    if _moved(index, places):
        return None
    stay = {place.slot for place in places}
    ranks = [index.rank[place.slot] for place in places if place.slot is not None]
    added = [place for place in places if place.slot is None]
    if len(added) > index.free or any(low >= high for low, high in pairwise(ranks)):
        return None
    ranked = list(_ranked(places, index.rank))
    if len(ranked) < len(added):
        return None
    return _amended(
        index,
        [(p.policy, rank, p.rule) for p, rank in ranked],
        [n for n in index.rules if index.leading.get(n, n) not in stay],
    )


def _frame(root: PolicySet) -> object:
    """Return a tree without its rules; obligation rules count as part of it."""
    return replace(root, children=tuple(_bare(child) for child in root.children))


def _bare(node: Policy | PolicySet) -> Policy | PolicySet:
    if isinstance(node, Policy):
        return replace(node, rules=())
    return replace(node, children=tuple(_bare(child) for child in node.children))


def _places(index: Index, root: PolicySet) -> Iterator[_Place]:
    slots = {id(rule): slot for slot, rule in index.rules.items() if slot not in index.leading}
    for number, policy in enumerate(policies(root)):
        yield from (_Place(rule, number, slots.get(id(rule))) for rule in policy.rules)
        yield from (_Place(rule, number, slots.get(id(rule))) for rule in policy.obligation_rules)


def _moved(index: Index, places: list[_Place]) -> bool:
    """Whether a rule that stays stands in another policy than before."""
    held: list[list[int]] = [[] for _ in index.members]
    for place in places:
        if place.slot is not None:
            held[place.policy].append(place.slot)
    return any(
        toggled(0, set(slots), index.capacity) & ~(own.permits | own.denies | own.riders)
        for slots, own in zip(held, index.members, strict=True)
    )


def _ranked(places: list[_Place], rank: Mapping[int, int]) -> Iterator[tuple[_Place, int]]:
    """Yield the new rules with ranks between their neighbours', as far as there is room."""
    low, waiting = -GAP, []
    for place in [*places, None]:
        if place is not None and place.slot is None:
            waiting.append(place)
            continue
        high = low + GAP * (len(waiting) + 1) if place is None else rank[place.slot]  # type: ignore[index]  # it stays
        step = (high - low) // (len(waiting) + 1)
        if step:
            yield from ((new, low + step * n) for n, new in enumerate(waiting, 1))
        low, waiting = high, []


def _amended(index: Index, added: Iterable[tuple[int, int, Slot]], removed: Iterable[int]) -> Index:
    """Return the index with rules added, each as (number of its policy, rank, rule), and slots emptied."""
    gone = toggled(0, removed, index.capacity)
    members = [Members(m.permits & ~gone, m.denies & ~gone, m.riders) for m in index.members]
    new: dict[int, Slot] = {}
    rank, free = dict(index.rank), index.free
    for policy, place, rule in added:
        assert isinstance(rule, Rule)  # noqa: S101  # obligation rules are part of the frame
        free -= 1
        bit, own, permits = 1 << free, members[policy], rule.effect.value == "PERMIT"
        members[policy] = Members(own.permits | bit * permits, own.denies | bit * (not permits), own.riders)
        new[free], rank[free] = rule, place
    left = replace(
        index,
        free=free,
        rules={n: rule for n, rule in index.rules.items() if not gone >> n & 1} if gone else index.rules,
        rank=rank,
        strays=(index.strays | toggled(0, new, index.capacity)) & ~gone,
        members=tuple(members),
        closures={n: c for n, c in index.closures.items() if not gone >> n & 1} if gone else index.closures,
        closed=index.closed & ~gone,
        several=index.several & ~gone,
        owing=index.owing & ~gone,
    )
    return extended(left, new, {n: conjuncts(rule.condition) for n, rule in new.items()})
