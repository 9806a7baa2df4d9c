"""Guess where a computation crosses a constant: one attribute in it, the rest known, each step turned round.

Only a guess: integers overflow, doubles round, and an attribute times itself has no step to turn round. What is
guessed is tried, never believed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from abac.condition.expr import Arithmetic, Attribute, Comparison, Operator, Term, attributes
from abac.condition.reference import Reference
from abac.condition.types import Value


def crossings(atom: Comparison, path: str, reference: Reference) -> Iterator[Value]:
    """Yield values of the attribute at which one side of a comparison may come to what the other side is."""
    for mine, other in ((atom.left, atom.right), (atom.right, atom.left)):
        known = reference.known(other)
        if isinstance(mine, Arithmetic) and known is not None and path in attributes(mine):
            yield from _turned(mine, known.value, path, reference)


def _turned(term: Term, wanted: Value, path: str, reference: Reference) -> Iterator[Value]:
    """Yield what the attribute must be for a term to be as wanted."""
    if isinstance(term, Attribute) and term.path == path:
        yield wanted
    elif isinstance(term, Arithmetic):
        on_left = path in attributes(term.left)
        inner, other = (term.left, term.right) if on_left else (term.right, term.left)
        known = reference.known(other)
        if known is None or path in attributes(other):
            return
        try:
            value = _step(term.operator, wanted, known.value, on_left=on_left)
        except (ZeroDivisionError, OverflowError):
            return
        if not isinstance(value, float) or math.isfinite(value):
            yield from _turned(inner, value, path, reference)


def _step(operator: Operator, wanted: Value, known: Value, *, on_left: bool) -> Value:
    """Return x of `x operator known = wanted`, or of `known operator x = wanted`."""
    if isinstance(known, datetime):  # a difference of two moments, in seconds
        gap = timedelta(seconds=float(wanted))  # type: ignore[arg-type]  # checked: a number
        return known + gap if on_left else known - gap
    a: float = wanted  # type: ignore[assignment]  # checked: numbers
    b: float = known  # type: ignore[assignment]  # as above
    match operator:
        case Operator.ADD:
            return a - b
        case Operator.SUBTRACT:
            return a + b if on_left else b - a
        case Operator.MULTIPLY:
            return a / b
        case Operator.DIVIDE:
            return a * b if on_left else b / a
