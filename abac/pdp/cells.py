"""Representative values of one attribute: one for every way in which its tests can come out.

Values between which no test can tell are one *cell*. For tests of one attribute against known values the cells are
all there is: named constants, the points between and beyond cut points, enum values, subsets of the named elements
with an outsider. Tests that compute, call a function or read a second changeable attribute have no such finite
list; their values are guesses and `exact` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import product

from abac.condition.expr import (
    Condition,
)
from abac.condition.reference import Reference
from abac.condition.schema import AttributeDefinition
from abac.condition.types import Kind, Scalar, ScalarType, SetType, Value
from abac.pdp.cuts import Cuts, read
from abac.pdp.gaps import spread

MOST_SETS = 729
"""How many subsets of element classes are listed; beyond that, those that differ in few classes."""


def values(
    definition: AttributeDefinition,
    now: Value | None,
    atoms: Iterable[Condition],
    reference: Reference,
    free: Collection[str],
) -> tuple[list[Value], bool]:
    """Return a value for every cell, the nearest to `now` first, and whether these are all the cells.

    `atoms` are the tests that read the attribute; `free` names all attributes that may change with it.
    """
    cuts = Cuts()
    for atom in atoms:
        read(atom, definition, reference, free, cuts)
    if isinstance(definition.type, SetType):
        return _subsets(definition.type.element, now, cuts)
    kind = definition.type
    if kind.kind in (Kind.BOOL, Kind.ORDERED) or (kind.kind is Kind.ENUM and not cuts.exact):
        found: list[Value] = [True, False] if kind.kind is Kind.BOOL else list(kind.values)
        return _nearest(found, now, kind), True
    if kind.is_ordered and (cuts.points or kind.kind is not Kind.STRING):
        named = cuts.points.union(*cuts.groups, cuts.guesses)
        return spread(kind, named, now), cuts.exact
    return _classes(kind, now, cuts), cuts.exact


# --- scalars ---------------------------------------------------------------------------------------------


def _nearest(found: Sequence[Value], now: Value | None, kind: ScalarType) -> list[Value]:
    if now is None or kind.kind is not Kind.ORDERED:
        return list(found)
    rank = kind.rank(str(now))
    return sorted(found, key=lambda v: abs(kind.rank(str(v)) - rank))


def _classes(kind: ScalarType, now: Value | None, cuts: Cuts) -> list[Value]:
    """Return one value of every class of constants that are looked up alike, guesses, and one named nowhere."""
    membership = _membership(cuts.groups)
    chosen: dict[tuple[int, ...], Scalar] = {}
    for value in _sorted(membership, kind):
        chosen.setdefault(membership[value], value)
    outside = _outsider(kind, membership.keys() | cuts.guesses)
    strangers = [] if outside is None else [outside]
    found = dict.fromkeys([*chosen.values(), *_sorted(cuts.guesses, kind), *strangers])
    return sorted(found, key=lambda v: v != now)


def _membership(groups: Sequence[frozenset[Scalar]]) -> dict[Scalar, tuple[int, ...]]:
    """Return, for every value, the numbers of the distinct groups that have it."""
    where: dict[Scalar, tuple[int, ...]] = {}
    for number, group in enumerate(dict.fromkeys(groups)):
        for value in group:
            where[value] = (*where.get(value, ()), number)
    return where


def _sorted(found: Collection[Scalar], kind: ScalarType) -> list[Scalar]:
    rank: Callable[[Scalar], int] | None = {v: i for i, v in enumerate(kind.values)}.get if kind.values else None  # type: ignore[assignment]  # only what the enum has
    admitted = [v for v in found if rank is None or v in kind.values]
    return sorted(admitted, key=rank)


def _outsider(kind: ScalarType, named: Collection[Scalar]) -> Scalar | None:
    """Return a value that no test names, or None where all are named."""
    taken = set(named)
    if kind.kind is Kind.STRING:
        candidates: Iterable[Scalar] = ("other", *(f"other-{n}" for n in range(2, len(taken) + 3)))
    elif kind.values or kind.kind is Kind.BOOL:
        candidates = kind.values or (False, True)
    else:
        candidates = spread(kind, taken, None)  # type: ignore[assignment]  # scalars
    return next((c for c in candidates if c not in taken), None)


# --- sets ------------------------------------------------------------------------------------------------


def _subsets(element: ScalarType, now: Value | None, cuts: Cuts) -> tuple[list[Value], bool]:
    """Return a set for every choice of none, some or all of each class of elements that tests treat alike."""
    held: frozenset[Scalar] = now if isinstance(now, frozenset) else frozenset()
    membership = _membership(cuts.groups)
    named: dict[tuple[int, ...], list[Scalar]] = {}
    for value in _sorted(membership, element):
        named.setdefault(membership[value], []).append(value)
    choices = [_choices(members, held, cuts.wholes) for members in named.values()]
    outside = _outsider(element, membership)
    strangers = held - membership.keys()
    if outside is not None:
        choices.append(_choices([*(_sorted(strangers, element) or [outside])], held, ()))
    every = 1
    for choice in choices:
        every *= len(choice)
    picks = product(*choices) if every <= MOST_SETS else _few(choices)
    found = {frozenset[Scalar]().union(*pick): None for pick in picks}
    order = sorted(found, key=lambda s: (len(s ^ held), [str(v) for v in _sorted(s, element)]))
    return list(order), cuts.exact and every <= MOST_SETS


def _choices(
    members: list[Scalar], held: frozenset[Scalar], wholes: Iterable[frozenset[Scalar]]
) -> list[frozenset[Scalar]]:
    """Return what to hold of one class, what is held now first: some; none; all where a test asks for all."""
    mine = held & set(members)
    some = mine or frozenset(members[:1])
    choices = [some, frozenset[Scalar]()]
    if len(members) > 1 and any(members[0] in whole for whole in wholes):
        partial = some if len(some) < len(members) else some - {members[-1]}
        choices = [partial, frozenset[Scalar](), frozenset(members)]
    return sorted(dict.fromkeys(choices), key=lambda c: len(c ^ mine))


def _few(choices: Sequence[Sequence[frozenset[Scalar]]]) -> Iterable[list[frozenset[Scalar]]]:
    """Yield the choices that differ from what is held in at most two classes, while there are not too many."""
    base = [choice[0] for choice in choices]
    yield base
    yield [frozenset() for _ in choices]
    changed = [(i, c) for i, choice in enumerate(choices) for c in choice[1:]]
    for i, c in changed:
        yield [*base[:i], c, *base[i + 1 :]]
        yield [frozenset() if j != i else max(choices[i], key=len) for j in range(len(choices))]
    if len(changed) ** 2 <= MOST_SETS:
        for i, c in changed:
            for j, d in changed:
                if i < j:
                    yield [*base[:i], c, *base[i + 1 : j], d, *base[j + 1 :]]
