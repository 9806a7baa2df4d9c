"""The condition tree: one closed union of nodes that the parser builds, the checker types, back ends match.

A node is a noun with typed fields and a span that takes no part in equality. Terms have a value of a type;
conditions have a truth. Before checking, attributes and constants carry no type; after it, all do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from abac.condition.schema import Assurance, Category
from abac.condition.truth import Truth
from abac.condition.types import Scalar, Type
from abac.errors import NOWHERE, Span


class Order(Enum):
    """The comparisons. `!=` is the negation of EQUAL, which strong Kleene makes the same thing."""

    EQUAL = "=="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="

    @property
    def mirrored(self) -> Order:
        """The comparison that holds of (b, a) when this one holds of (a, b)."""
        return _MIRRORED[self]


_MIRRORED = {
    Order.EQUAL: Order.EQUAL,
    Order.LESS: Order.GREATER,
    Order.AT_MOST: Order.AT_LEAST,
    Order.GREATER: Order.LESS,
    Order.AT_LEAST: Order.AT_MOST,
}


class Operator(Enum):
    """Arithmetic on numbers, and the difference of two date-times in seconds."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"


# --- terms ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attribute:
    """The value of an attribute, known only if asserted with at least the assurance `least`."""

    category: Category
    name: str
    type: Type | None = None
    least: Assurance = Assurance.INFERRED
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def path(self) -> str:
        """The attribute's full name, such as `subject.citizenships_current`."""
        return f"{self.category._value_}.{self.name}"  # a third of the time of `value`, and asked for every node


@dataclass(frozen=True, slots=True)
class Constant:
    """A scalar written in the text."""

    value: Scalar
    type: Type | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class SetConstant:
    """A complete set written in the text, or a named list's members."""

    values: frozenset[Scalar]
    type: Type | None = None
    span: Span = field(default=NOWHERE, compare=False)
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A number computed from two terms; no value where 64 bits overflow, or a quotient is not finite."""

    operator: Operator
    left: Term
    right: Term
    type: Type | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A named pure function of terms: no value where an argument has none, or where the function raises."""

    function: str
    arguments: tuple[Term, ...]
    type: Type | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a policy row (`p.sub`) in a matcher; linking replaces it by the row's own text."""

    name: str
    span: Span = field(default=NOWHERE, compare=False)


Term = Attribute | Constant | SetConstant | Arithmetic | Call | Field

# --- conditions ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A fixed truth. UNKNOWN stands for a term whose definition is pending; `of` then names it."""

    truth: Truth
    of: str = ""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Holds:
    """A boolean term that is true."""

    term: Term
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two scalars in order."""

    order: Order
    left: Term
    right: Term
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """A scalar that is in a set."""

    element: Term
    collection: Term
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Two sets that share an element."""

    left: Term
    right: Term
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AllOf:
    """A set that is not empty and of which every element is in the other."""

    left: Term
    right: Term
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    operand: Condition
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """Conjunction of any number of conditions; TRUE of none."""

    operands: tuple[Condition, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    """Disjunction of any number of conditions; FALSE of none."""

    operands: tuple[Condition, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Definition:
    """A condition defined elsewhere by name: a person test, or a row's rule text (`eval(p.sub_rule)`).

    Linking replaces it by what it stands for, so no back end ever meets one.
    """

    kind: str
    name: str
    span: Span = field(default=NOWHERE, compare=False)


Condition = Literal | Holds | Comparison | Member | AnyOf | AllOf | Not | And | Or | Definition
Node = Term | Condition

TERMS = (Attribute, Constant, SetConstant, Arithmetic, Call, Field)


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes right below `node`, left to right."""
    match node:
        case Arithmetic(left=left, right=right) | Comparison(left=left, right=right):
            return left, right
        case AnyOf(left=left, right=right) | AllOf(left=left, right=right):
            return left, right
        case Call(arguments=arguments):
            return arguments
        case Holds(term=term):
            return (term,)
        case Member(element=element, collection=collection):
            return element, collection
        case Not(operand=operand):
            return (operand,)
        case And(operands=operands) | Or(operands=operands):
            return operands
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield `node` and all below it, parents first, left to right."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(reversed(children(top)))


def attributes(node: Node) -> dict[str, Attribute]:
    """Return the attributes that `node` reads, by full name, in reading order."""
    found: dict[str, Attribute] = {}
    for part in walk(node):
        if isinstance(part, Attribute):
            found.setdefault(part.path, part)
    return found


def depth(node: Node) -> int:
    """Return how many nodes stand on the longest way from `node` to a leaf; safe on any depth."""
    deepest, stack = 0, [(node, 1)]
    while stack:
        top, level = stack.pop()
        deepest = max(deepest, level)
        stack.extend((child, level + 1) for child in children(top))
    return deepest


def within(node: Node, deepest: int, most: int) -> bool:
    """Whether `node` is at most `deepest` levels and `most` nodes, written out; asks no further than that."""
    stack = [(node, 1)]
    while stack:
        top, level = stack.pop()
        most -= 1
        if level > deepest or most < 0:
            return False
        stack.extend((child, level + 1) for child in children(top))
    return True
