"""Values that a computation or a call may answer differently of: tried, never believed.

An atom that is not encoded is refuted by example only, so examples must be worth trying: what it names, one step
beside, and texts that fit its patterns. A guess becomes a cell of its own; nothing rests on there being enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice

from abac.condition.expr import Arithmetic, Call, Comparison, Condition, Constant, SetConstant, walk
from abac.condition.functions import Function
from abac.condition.types import BOOL, INT_MAX, INT_MIN, Kind, Scalar, ScalarType, TypeClash, admit

MOST = 24
"""Guesses made of one atom for one attribute."""

_DAY = datetime(2026, 6, 15, tzinfo=UTC)


def guesses(atom: Condition, kind: ScalarType, functions: Mapping[str, Function]) -> set[Scalar]:
    """Return values of a type worth trying on an atom that calls or computes."""
    named = [v for n in walk(atom) if isinstance(n, Constant | SetConstant) for v in _values(n)]
    found: dict[Scalar, None] = {}
    for value in _near(named, kind, computes=any(isinstance(n, Arithmetic | Comparison) for n in walk(atom))):
        try:
            found.setdefault(admit(value, kind))  # type: ignore[arg-type]  # a scalar type admits scalars
        except TypeClash:
            continue
    chosen = set(islice(found, MOST))
    return chosen | _fitting(atom, kind, functions)


def _values(node: Constant | SetConstant) -> list[Scalar]:
    return [node.value] if isinstance(node, Constant) else sorted(node.values)[:MOST]


def _near(named: list[Scalar], kind: ScalarType, *, computes: bool) -> Iterator[Scalar]:
    match kind.kind:
        case Kind.INT | Kind.FLOAT:
            for n in named:
                if isinstance(n, int | float) and not isinstance(n, bool):
                    yield from (n, n - 1, n + 1, -n) if abs(n) < INT_MAX else (n,)
            yield from (0, 1, 2, INT_MAX, INT_MIN) if computes else ()
        case Kind.DATETIME:
            yield from (n for n in named if isinstance(n, datetime))
            yield _DAY
            for n in named:
                if isinstance(n, int | float) and not isinstance(n, bool) and abs(n) < 1e11:  # noqa: PLR2004  # 3,000 years
                    seconds = timedelta(seconds=float(n))
                    yield from (_DAY + s for s in (seconds, seconds + timedelta(0, 1), seconds - timedelta(0, 1)))
        case _:
            yield from named


def _fitting(atom: Condition, kind: ScalarType, functions: Mapping[str, Function]) -> set[Scalar]:
    """Return texts that the patterns of an atom's calls hold of, and one that each does not."""
    found: set[Scalar] = set()
    if kind.kind is not Kind.STRING:
        return found
    for call in (n for n in walk(atom) if isinstance(n, Call)):
        patterns = [a.value for a in call.arguments if isinstance(a, Constant) and isinstance(a.value, str)]
        function = functions[call.function]
        tried = dict.fromkeys(t for p in patterns for t in _texts(p))
        if function.result == BOOL and len(call.arguments) == 2 and patterns:  # noqa: PLR2004  # value, pattern
            fits = [t for t in tried if function.value(t, patterns[-1]) is True]
            fails = [t for t in (*tried, "other") if function.value(t, patterns[-1]) is False]
            found |= {*fits[:4], *fails[:2]}
        else:
            found |= set(islice(tried, 8))
    return {f for f in found if isinstance(f, str) and "\0" not in f}


def _texts(pattern: str) -> Iterator[str]:
    """Yield texts that may fit a glob, a key pattern, a network, a prefix, or a simple regular expression."""
    yield from (pattern, pattern + "x", pattern.replace("*", "x"), pattern.partition("/")[0], pattern.upper())
    filled = re.sub(r"\{[^}]*\}|:[^/]+", "x", pattern)
    yield from (filled, filled.replace("*", "x"))
    for branch in pattern.split("|"):
        bare = re.sub(r"\(\?[a-z]+\)|[\^$()]", "", branch)
        bare = re.sub(r"\[([^\]^-])[^\]]*\]", r"\1", bare)
        bare = bare.replace("\\d", "1").replace("\\w", "x").replace("\\.", ".").replace("\\b", "")
        yield re.sub(r"\{\d+(,\d*)?\}|[+?]", "", re.sub(r"\.[*+]", "x", bare))
        yield re.sub(r".[*?]", "", bare).replace("+", "")
