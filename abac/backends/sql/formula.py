"""Formulas of two values over clauses: what a listing is before it becomes one SQL clause.

A leaf is a clause that is never NULL, so NOT, AND and OR are the classical ones here and complement is sound. What
SQL cannot say stands as `Opaque`, and `bound` puts in for it what makes the formula say too little or too much.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, assert_never

from sqlalchemy import Boolean, ColumnElement, and_, false, not_, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

DEEPEST = 20
"""How deep a clause may nest: SQLite's parser bears some 30 parentheses, and a leaf has its own."""
WIDEST = 8
"""How many parts stand beside one another; more are put in brackets by eights, since SQLite's trees are 1,000 deep
at most, and a chain is as deep as it is long."""


class Bracketed(FunctionElement[bool]):
    """A clause in brackets, which SQLAlchemy would leave out."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Bracketed:  # noqa: ARG002  # SQLAlchemy's signature
        """Stand as it is: compared with 1, SQLite sees no clauses in it, uses no index and asks all of them."""
        return self


@compiles(Bracketed)
def _bracketed(element: Bracketed, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses.clauses[0], **options)})"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A clause that is never NULL. `key` says what it says; `reads` are the attributes it reads."""

    key: Hashable
    clause: ColumnElement[bool] = field(compare=False)
    reads: frozenset[str] = field(default=frozenset(), compare=False)


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something that holds or does not, but that SQL cannot say: what, and why not."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Inverse:
    """What holds where another formula does not."""

    part: Formula


@dataclass(frozen=True, slots=True)
class Every:
    """What holds where all of its parts do."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """What holds where any of its parts does."""

    parts: tuple[Formula, ...]


Formula = bool | Leaf | Opaque | Inverse | Every | Some


def every(parts: Iterable[Formula]) -> Formula:
    """Return the conjunction, flat, without repetitions; True of nothing."""
    return _chain(parts, Every, absorbing=False)


def some(parts: Iterable[Formula]) -> Formula:
    """Return the disjunction, flat, without repetitions; False of nothing."""
    return _chain(parts, Some, absorbing=True)


def inverse(part: Formula) -> Formula:
    """Return the negation."""
    if isinstance(part, bool):
        return not part
    return part.part if isinstance(part, Inverse) else Inverse(part)


def _chain(parts: Iterable[Formula], chain: type[Every | Some], *, absorbing: bool) -> Formula:
    flat: dict[Any, None] = {}
    for part in parts:
        for one in part.parts if isinstance(part, chain) else (part,):
            if one is absorbing:
                return absorbing
            if not isinstance(one, bool):
                flat[one] = None
    if len(flat) == 1:
        return next(iter(flat))  # type: ignore[no-any-return]  # a formula
    return chain(tuple(flat)) if flat else not absorbing


def first(steps: list[tuple[Formula, Formula]]) -> Formula:
    """Return whether one of the (hit, pass) steps hits before any of the earlier ones did not let pass.

    Quartered again and again, so that a list of n steps nests log n deep and is n log n long.
    """
    if len(steps) <= 1:
        return steps[0][0] if steps else False
    size = -(-len(steps) // 4)
    quarters = [(steps[:at], steps[at : at + size]) for at in range(0, len(steps), size)]
    return some([every([*(passes for _, passes in before), first(own)]) for before, own in quarters])


def bound(formula: Formula, *, upper: bool, depth: int = 0) -> Formula:
    """Return a formula without anything opaque that holds wherever `formula` does, or (not `upper`) only there."""
    match formula:
        case bool() | Leaf():
            return formula
        case Opaque():
            return upper
        case Inverse(part=part):
            return inverse(bound(part, upper=not upper, depth=depth))
        case Every(parts=parts) | Some(parts=parts):
            below = depth + _levels(parts)
            if below > DEEPEST:
                return upper
            inner = [bound(part, upper=upper, depth=below) for part in parts]
            return every(inner) if isinstance(formula, Every) else some(inner)
        case _:
            assert_never(formula)


def opaque(formula: Formula, depth: int = 0) -> Iterator[Opaque]:
    """Yield what in a formula SQL cannot say."""
    match formula:
        case bool() | Leaf():
            return
        case Opaque():
            yield formula
        case Inverse(part=part):
            yield from opaque(part, depth)
        case Every(parts=parts) | Some(parts=parts):
            below = depth + _levels(parts)
            if below > DEEPEST:
                yield Opaque("a condition", f"nested more than {DEEPEST} deep")
                return
            for part in parts:
                yield from opaque(part, below)
        case _:
            assert_never(formula)


def _levels(parts: tuple[Formula, ...]) -> int:
    levels, room = 1, WIDEST
    while room < len(parts):
        levels, room = levels + 1, room * WIDEST
    return levels


def _joined(join: Callable[..., ColumnElement[bool]], parts: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Join clauses by one connective, by eights and again by eights, in order."""
    while len(parts) > WIDEST:
        rows = range(0, len(parts), WIDEST)
        parts = [Bracketed(join(*parts[at : at + WIDEST])) for at in rows]
    return join(*parts)


def leaves(formula: Formula) -> Iterator[Leaf]:
    """Yield the leaves of a formula."""
    match formula:
        case Leaf():
            yield formula
        case Inverse(part=part):
            yield from leaves(part)
        case Every(parts=parts) | Some(parts=parts):
            for part in parts:
                yield from leaves(part)
        case bool() | Opaque():
            return
        case _:
            assert_never(formula)


def clause(formula: Formula) -> ColumnElement[bool]:
    """Return a bounded formula as SQL; never NULL, since no leaf is."""
    match formula:
        case bool():
            return true() if formula else false()
        case Leaf(clause=said):
            return said
        case Inverse(part=part):
            return not_(clause(part))
        case Every(parts=parts):
            return _joined(and_, [clause(part) for part in parts])
        case Some(parts=parts):
            return _joined(or_, [clause(part) for part in parts])
        case Opaque():
            raise AssertionError("a formula is bounded before it becomes SQL")
        case _:
            assert_never(formula)
