"""What conditions ask of each attribute: the constants that cut its values into cells, and whom it meets.

Four forms of atoms. *Fixed*: reads nothing. *Plain*: an attribute against constants, or two attributes of one type
against each other; encoded exactly. *Table*: computes or calls on one attribute of finitely many values; encoded
exactly, value by value. *Opaque*: all else; its answer is left open. Which cells that comes to is `cells`' part.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from abac.backends.smt.guesses import guesses
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Condition,
    Constant,
    Definition,
    Field,
    Holds,
    Literal,
    Member,
    Not,
    Or,
    Order,
    SetConstant,
    Term,
    walk,
)
from abac.condition.functions import Function
from abac.condition.schema import Assurance
from abac.condition.types import INT_MAX, INT_MIN, Kind, Scalar, ScalarType, SetType, Type

Atom = Holds | Comparison | Member | AnyOf | AllOf


class Form(Enum):
    """How an atom is encoded."""

    FIXED = "fixed"
    PLAIN = "plain"
    TABLE = "table"
    OPAQUE = "opaque"


FINITE = (Kind.BOOL, Kind.ENUM, Kind.ORDERED)


@dataclass(slots=True)
class Asked:
    """What all conditions together ask of one attribute."""

    type: Type
    levels: set[Assurance] = field(default_factory=lambda: {Assurance.INFERRED})
    groups: set[frozenset[Scalar]] = field(default_factory=set)
    points: set[Scalar] = field(default_factory=set)
    guesses: set[Scalar] = field(default_factory=set)
    tables: list[Atom] = field(default_factory=list)
    ordered: bool = False

    @property
    def is_set(self) -> bool:
        """Whether the attribute holds a set."""
        return isinstance(self.type, SetType)

    @property
    def element(self) -> ScalarType:
        """The type of the attribute's values, or of its elements."""
        return self.type.element if isinstance(self.type, SetType) else self.type


class Reading:
    """Reads any number of conditions; afterwards `asked` has each attribute by its full name."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self.functions = functions
        self.asked: dict[str, Asked] = {}
        self.forms: dict[Atom, Form] = {}
        self.meetings: dict[tuple[str, str], set[Atom]] = {}
        """The atoms in which two attributes, or one at two levels, meet."""

    def read(self, conditions: Iterable[Condition]) -> None:
        """Take in what conditions ask. An unlinked node is an assertion error."""
        stack = list(conditions)
        while stack:
            match top := stack.pop():
                case Not(operand=operand):
                    stack.append(operand)
                case And(operands=operands) | Or(operands=operands):
                    stack.extend(operands)
                case Literal():
                    pass
                case Definition(kind=kind, name=name):
                    raise AssertionError(f"{kind} `{name}` was not linked")
                case _:
                    if top not in self.forms:
                        self.forms[top] = self._atom(top)

    def _atom(self, atom: Atom) -> Form:
        read = self._attributes(atom)
        if not read:
            return Form.FIXED
        if _plain(atom):
            self._plainly(atom)
            return Form.PLAIN
        for one in read:
            self.asked[one.path].guesses |= guesses(atom, self.asked[one.path].element, self.functions)
        kind = read[0].type
        if len({a.path for a in read}) == 1 and isinstance(kind, ScalarType) and kind.kind in FINITE:
            self.asked[read[0].path].tables.append(atom)
            return Form.TABLE
        return Form.OPAQUE

    def _attributes(self, atom: Atom) -> list[Attribute]:
        found = []
        for node in walk(atom):
            assert not isinstance(node, Field), f"field `{node.name}` was not linked"  # noqa: S101  # linked
            if isinstance(node, Attribute):
                asked = self.asked.get(node.path)
                if asked is None:
                    assert node.type is not None  # noqa: S101  # checked
                    asked = self.asked[node.path] = Asked(node.type)
                asked.levels.add(node.least)
                found.append(node)
        return found

    # --- plain atoms -----------------------------------------------------------------------------------

    def _plainly(self, atom: Atom) -> None:
        match atom:
            case Holds():
                pass
            case Comparison(order=order, left=left, right=right):
                self._compared(atom, order, left, right)
            case Member(element=left, collection=right) | AnyOf(left=left, right=right):
                self._looked_up(atom, left, right)
            case AllOf(left=left, right=right):
                self._looked_up(atom, left, right)
                if isinstance(left, SetConstant) and isinstance(right, Attribute):
                    self.asked[right.path].groups |= {frozenset({v}) for v in left.values}

    def _compared(self, atom: Atom, order: Order, left: Term, right: Term) -> None:
        for mine, other in ((left, right), (right, left)):
            if not isinstance(mine, Attribute):
                continue
            asked = self.asked[mine.path]
            asked.ordered |= order is not Order.EQUAL and asked.element.is_ordered
            if isinstance(other, Constant):
                mixed = isinstance(other.value, float) and asked.element.kind is Kind.INT
                asked.ordered |= mixed
                starts = frozenset(_starts(other.value, asked.element))
                (asked.points if asked.ordered else asked.groups).update(
                    starts if asked.ordered else {starts}  # type: ignore[arg-type]  # as the left side
                )
        if isinstance(left, Attribute) and isinstance(right, Attribute):
            self._meet(atom, left, right)

    def _looked_up(self, atom: Atom, left: Term, right: Term) -> None:
        for mine, other in ((left, right), (right, left)):
            if isinstance(mine, Attribute) and not isinstance(other, Attribute):
                values = other.values if isinstance(other, SetConstant) else frozenset({other.value})  # type: ignore[union-attr]  # plain
                self.asked[mine.path].groups.add(values)
        if isinstance(left, Attribute) and isinstance(right, Attribute):
            self._meet(atom, left, right)

    def _meet(self, atom: Atom, left: Attribute, right: Attribute) -> None:
        self.meetings.setdefault((left.path, right.path), set()).add(atom)


def _plain(atom: Atom) -> bool:
    """Whether an atom holds attributes and constants alone, and none of an int against a double."""
    match atom:
        case Holds(term=term):
            return isinstance(term, Attribute)
        case Comparison(left=left, right=right):
            simple = all(isinstance(t, Attribute | Constant) for t in (left, right))
            both = isinstance(left, Attribute) and isinstance(right, Attribute)
            return simple and not (both and left.type != right.type)  # type: ignore[union-attr]  # attributes
        case Member(element=element):
            return isinstance(element, Attribute | Constant)
        case _:
            return True


def computes(atom: Condition) -> bool:
    """Whether an atom holds arithmetic, or compares an int with a double: nothing is ever proved of those."""
    met = [t.type for t in (atom.left, atom.right)] if isinstance(atom, Comparison) else []  # type: ignore[union-attr]  # linked
    return any(isinstance(n, Arithmetic) for n in walk(atom)) or len(set(met)) > 1


def calls(atom: Condition) -> bool:
    """Whether an atom calls a function."""
    return any(isinstance(n, Call) for n in walk(atom))


def _starts(constant: Scalar, kind: ScalarType) -> Iterable[Scalar]:
    """Return the least value equal to a constant, and for an int met by a double the first beyond it too."""
    if kind.kind is Kind.FLOAT:
        return (float(constant) + 0.0,)  # type: ignore[arg-type]  # a number
    if kind.kind is Kind.INT and isinstance(constant, float):
        ends = (_first_at(constant), _first_at(math.nextafter(constant, math.inf)))
        return (n for n in ends if n <= INT_MAX)
    return (constant,)


def _first_at(bound: float) -> int:
    """Return the least 64-bit integer that, as a double, is at least `bound`; one beyond where there is none."""
    low, high = INT_MIN, INT_MAX + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if float(middle) >= bound else (middle + 1, high)
    return low
