"""Virtual rules: a rule with a disjunction over several attributes, as parts that the index answers by itself.

`x && (a || b)` holds as far as `x && a` or `x && b` does, in three truths as in two. So such a rule is given one
slot for each part, all of its rank, effect and obligations. What is left a closure is what would take too many
parts, and what compares one attribute with another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, product
from math import prod

from abac.condition.expr import And, Condition, Not, Or, attributes

MOST = 8
"""A rule is split into so many parts at most."""

Parts = Sequence[tuple[Condition, ...]]
"""Alternatives, each as conjuncts over one attribute."""


def split(conjuncts: Sequence[Condition]) -> Parts:
    """Return the parts of a rule with these conjuncts; one, with all of them, where splitting does not pay."""
    ways: list[Parts] = []
    for conjunct in conjuncts:
        found = _parts(conjunct) if len(attributes(conjunct)) > 1 else None
        ways.append([(conjunct,)] if found is None else found)
    return _all(ways) or [tuple(conjuncts)]


def _parts(condition: Condition, *, holds: bool = True) -> Parts | None:
    """Return the parts of a condition, or of its negation; None if too many, or one is for no table."""
    if len(attributes(condition)) == 1:
        return [(condition if holds else Not(condition),)]
    match condition:
        case Not(operand=operand):
            return _parts(operand, holds=not holds)
        case And(operands=operands) | Or(operands=operands) if operands:
            each = [_parts(operand, holds=holds) for operand in operands]
            found = [parts for parts in each if parts is not None]
            if len(found) < len(each):
                return None
            return _all(found) if isinstance(condition, And) is holds else _any(found)
        case _:
            return None


def _all(each: Sequence[Parts]) -> Parts | None:
    if prod(map(len, each)) > MOST:
        return None
    return [tuple(chain.from_iterable(way)) for way in product(*each)]


def _any(each: Iterable[Parts]) -> Parts | None:
    found = list(chain.from_iterable(each))
    return found if len(found) <= MOST else None
