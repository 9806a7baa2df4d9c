"""Infer a schema from conditions: the type of every attribute, from what it meets.

Text that meets an attribute makes it a string, a number makes it a number, standing alone makes it a bool,
standing behind `in` makes it a set. It is what `abac.Enforcer` has in place of a schema; a request whose values
are of other types is then not ours to decide. Reading text is `language.parser`'s part, checking is
`condition.check`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from abac.condition import clock
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
    Operator,
    Or,
    Order,
    SetConstant,
    Term,
)
from abac.condition.functions import Function
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, STRING, Scalar, ScalarType, SetType, Type
from abac.errors import NOWHERE, Findings, Span

EXACT = 2**53
"""Integers beyond it are not exact as doubles."""

NOW = Attribute(Category.ENVIRONMENT, "now")
"""What `timeMatch` reads once it is lowered."""

WORDS = {STRING: "text", FLOAT: "a number", BOOL: "a truth value", DATETIME: "a date-time"}


@dataclass(eq=False, slots=True)
class Slot:
    """What is known of the type of one term, or of several that must be of one type."""

    same: Slot | None = None
    met: dict[ScalarType, Span] = field(default_factory=dict)
    """The kinds it met (STRING, FLOAT for any number, BOOL), and where first."""
    element: Slot | None = None
    whole: bool = True
    computed: bool = False
    large: bool = False
    ordered: bool = False

    def root(self) -> Slot:
        """Return the slot that stands for all of the same type."""
        slot = self
        while slot.same is not None:
            slot = slot.same
        return slot

    def meet(self, kind: ScalarType, span: Span) -> Slot:
        """Note that it met a value of a kind."""
        root = self.root()
        root.met.setdefault(FLOAT if kind.is_number else kind, span)
        return root

    def members(self) -> Slot:
        """Return the slot of its elements; it is a set from now on."""
        root = self.root()
        if root.element is None:
            root.element = Slot()
        return root.element.root()

    def join(self, other: Slot) -> None:
        """Make the two of one type."""
        left, right = self.root(), other.root()
        if left is right:
            return
        right.same = left
        left.met = right.met | left.met
        left.whole = left.whole and right.whole
        left.computed = left.computed or right.computed
        left.large = left.large or right.large
        left.ordered = left.ordered or right.ordered
        if left.element is None:
            left.element = right.element
        elif right.element is not None:
            left.element.join(right.element)

    @property
    def is_open(self) -> bool:
        """Whether nothing was met that settles the type of it, or of its elements."""
        root = self.root()
        inner = root.element.root() if root.element is not None else root
        return not inner.met and not inner.computed

    def scalar(self) -> ScalarType:
        """Return the scalar type; where nothing settles it, a number if it is put in order, else a string."""
        root = self.root()
        if STRING in root.met or not (root.met or root.computed or root.ordered):
            return STRING
        for kind in (BOOL, DATETIME):
            if kind in root.met:
                return kind
        return INT if root.large or (root.computed and root.whole) else FLOAT

    def type(self) -> Type:
        """Return the type that everything met comes to."""
        root = self.root()
        return root.scalar() if root.element is None else SetType(root.element.root().scalar())


class Inference:
    """Learns from untyped, filled conditions; what it has learnt only grows.

    `functions` are those of a known signature. Any other call is taken to be of whatever types it is used at.
    """

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions
        self._slots: dict[str, Slot] = {}
        self._attributes: dict[str, Attribute] = {}
        self.calls: dict[Call, tuple[tuple[Slot, ...], Slot]] = {}

    def learn(self, conditions: Iterable[Condition]) -> None:
        """Note what every attribute of the conditions meets."""
        for condition in conditions:
            self._condition(condition)

    def schema(self, findings: Findings) -> Schema:
        """Return a schema of all attributes met; one that met values of several types is a finding."""
        for path, slot in self._slots.items():
            self._agree(path, slot.root(), findings)
        return Schema.of(
            AttributeDefinition(a.category, a.name, self._slots[path].type())
            for path, a in self._attributes.items()
        )

    def computed(self) -> frozenset[str]:
        """Return the attributes that arithmetic reads: an int there is never as good as a float."""
        return frozenset(path for path, slot in self._slots.items() if slot.root().computed)

    def open(self) -> frozenset[str]:
        """Return the attributes whose type nothing settles; what a request brings may be as good."""
        return frozenset(path for path, slot in self._slots.items() if slot.is_open)

    def signature(self, call: Call) -> tuple[tuple[ScalarType, ...], ScalarType]:
        """Return the types that a call of an unknown function is used at."""
        arguments, result = self.calls[call]
        return tuple(a.scalar() for a in arguments), result.scalar()

    # --- walking ---------------------------------------------------------------------------------------

    def _condition(self, node: Condition) -> None:
        match node:
            case Not(operand=operand):
                self._condition(operand)
            case And(operands=operands) | Or(operands=operands):
                for operand in operands:
                    self._condition(operand)
            case Holds(term=Call(function=clock.NAME)):
                self._term(NOW).meet(DATETIME, node.span)  # which checking lowers it to
            case Holds(term=term):
                self._term(term).meet(BOOL, node.span)
            case Comparison(order=order, left=left, right=right):
                one = self._term(left)
                one.join(self._term(right))
                one.root().ordered |= order is not Order.EQUAL
            case Member(element=element, collection=collection):
                self._term(collection).members().join(self._term(element))
            case AnyOf(left=left, right=right) | AllOf(left=left, right=right):
                one = self._term(left)
                one.members().join(self._term(right).members())
            case Literal() | Definition():
                pass
            case _:
                assert_never(node)

    def _term(self, term: Term) -> Slot:
        match term:
            case Attribute(path=path):
                self._attributes.setdefault(path, term)
                return self._slots.setdefault(path, Slot())
            case Constant(value=value):
                return self._constant(value, Slot(), term.span)
            case SetConstant(values=values):
                slot = Slot()
                for value in sorted(values, key=repr):
                    self._constant(value, slot.members(), term.span)
                slot.members()
                return slot
            case Arithmetic():
                return self._arithmetic(term)
            case Call():
                return self._call(term)
            case Field():
                return Slot()
            case _:
                assert_never(term)

    def _constant(self, value: Scalar, slot: Slot, span: Span) -> Slot:
        kind = {bool: BOOL, int: INT, float: FLOAT, str: STRING}.get(type(value), DATETIME)
        root = slot.meet(kind, span)
        root.whole = root.whole and type(value) is int
        root.large = root.large or (type(value) is int and abs(value) > EXACT)
        return root

    def _arithmetic(self, node: Arithmetic) -> Slot:
        one = self._term(node.left).meet(FLOAT, node.span)
        one.join(self._term(node.right).meet(FLOAT, node.span))
        root = one.root()
        root.computed = True
        if node.operator is not Operator.DIVIDE:
            return root
        quotient = Slot().meet(FLOAT, node.span)
        quotient.whole = False
        return quotient

    def _call(self, node: Call) -> Slot:
        known = self._functions.get(node.function)
        arguments = tuple(self._term(a) for a in node.arguments)
        if known is None:
            return self.calls.setdefault(node, (arguments, Slot()))[1].root()
        for argument, parameter in zip(arguments, known.parameters, strict=False):  # check counts them
            argument.meet(parameter, node.span)
        return Slot().meet(known.result, node.span)

    def _agree(self, path: str, slot: Slot, findings: Findings) -> None:
        inner = slot.element.root() if slot.element is not None else slot
        if slot.element is not None and slot.met:
            span = next(iter(slot.met.values()))
            findings.error(span, "type-clash", f"`{path}` is a set here and one value elsewhere")
        elif len(inner.met) > 1:
            (first, at), (second, here), *_ = inner.met.items()
            elsewhere = "" if at == NOWHERE else f" at {at}"
            message = f"`{path}` meets {WORDS.get(second, second)} here and {WORDS.get(first, first)}{elsewhere}"
            findings.error(here, "type-clash", message)
