"""Ask of a condition read from a file what the checker asks of one read from text: that it can be evaluated.

After it no operator can fail at run time, whoever wrote the file. Types are compared, never inferred: the tree
says them all.
"""

from __future__ import annotations

from typing import NoReturn, assert_never

from abac.condition.check import MAX_NODES
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
    Node,
    Not,
    Operator,
    Or,
    Order,
    SetConstant,
    Term,
    within,
)
from abac.condition.terms import Vocabulary
from abac.condition.text import condition_text
from abac.condition.types import (
    BOOL,
    DATETIME,
    FLOAT,
    INT,
    STRING,
    Scalar,
    ScalarType,
    SetType,
    Type,
    TypeClash,
    admit,
)


class Unsound(Exception):  # noqa: N818  # control flow inside `disk`: it becomes a finding with the file's name
    """A condition that cannot be evaluated; the message says what is wrong with it."""


def demand_sound(condition: Condition, vocabulary: Vocabulary, deepest: int) -> None:
    """Raise `Unsound` unless the condition is linked, typed throughout, and of a size that evaluators bear."""
    if not within(condition, deepest, 2 * MAX_NODES):
        raise Unsound(f"more than {deepest} deep or {2 * MAX_NODES:,} parts")
    _Sound(vocabulary).condition(condition)


class _Sound:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def condition(self, node: Condition) -> None:
        match node:
            case Literal():
                pass
            case Not(operand=operand):
                self.condition(operand)
            case And(operands=operands) | Or(operands=operands):
                for operand in operands:
                    self.condition(operand)
            case Holds(term=term):
                if self.type(term) != BOOL:
                    _fail(node, "expected bool")
            case Comparison(order=order, left=left, right=right):
                self._comparison(node, order, self.type(left), self.type(right))
            case Member(element=element, collection=collection):
                if SetType(self.scalar(element)) != self.type(collection):
                    _fail(node, "expected a set of the element's type")
            case AnyOf(left=left, right=right) | AllOf(left=left, right=right):
                if not isinstance(self.type(left), SetType) or self.type(left) != self.type(right):
                    _fail(node, "expected two sets of one type")
            case Definition():
                _fail(node, "a definition that was not linked")
            case _:
                assert_never(node)

    def _comparison(self, node: Comparison, order: Order, left: Type, right: Type) -> None:
        if not isinstance(left, ScalarType) or not isinstance(right, ScalarType):
            _fail(node, "a comparison takes scalars")
        if left != right and not (left.is_number and right.is_number):
            _fail(node, f"cannot compare {left} with {right}")
        if order is not Order.EQUAL and not left.is_ordered:
            _fail(node, f"{left} has no order")

    def scalar(self, node: Term) -> ScalarType:
        kind = self.type(node)
        return kind if isinstance(kind, ScalarType) else _fail(node, "expected a scalar")

    def type(self, node: Term) -> Type:
        """Return the type of a term, which is the one it says."""
        match node:
            case Attribute(path=path):
                found = self._vocabulary.schema.get(path)
                actual: Type = found.type if found is not None else _fail(node, "no such attribute in the schema")
            case Constant(value=value):
                actual = node.type or _fail(node, "no type")
                _of(node, value, actual)
            case SetConstant(values=values):
                actual = node.type or _fail(node, "no type")
                _of(node, values, actual)
            case Arithmetic():
                actual = self._number(node)
            case Call():
                actual = self._result(node)
            case Field():
                return _fail(node, "a row's field that was not linked")
            case _:
                assert_never(node)
        return actual if node.type == actual else _fail(node, f"is {actual}, not {node.type}")

    def _number(self, node: Arithmetic) -> ScalarType:
        left, right = self.scalar(node.left), self.scalar(node.right)
        if node.operator is Operator.SUBTRACT and left == right == DATETIME:
            return FLOAT
        if not (left.is_number and right.is_number):
            _fail(node, f"`{node.operator.value}` takes numbers")
        return INT if left == right == INT and node.operator is not Operator.DIVIDE else FLOAT

    def _result(self, node: Call) -> ScalarType:
        function = self._vocabulary.functions.get(node.function)
        if function is None:
            _fail(node, f"no function `{node.function[:80]}`")
        given = [self.scalar(a) for a in node.arguments]
        fits = len(given) == len(function.parameters) and all(
            have == want or (want == STRING and have.is_text)
            for have, want in zip(given, function.parameters, strict=True)
        )
        return function.result if fits else _fail(node, f"`{node.function}` takes other arguments")


def _of(node: Constant | SetConstant, value: Scalar | frozenset[Scalar], kind: Type) -> None:
    """Ask that a constant is in its type's normal form, so that reading it changed nothing."""
    try:
        normal = admit(value, kind)
    except TypeClash as clash:
        _fail(node, str(clash))
    exact = {type(v) for v in (value if isinstance(value, frozenset) else {value})}
    if normal != value or exact != {type(v) for v in (normal if isinstance(normal, frozenset) else {normal})}:
        _fail(node, f"not in the normal form of {kind}")


def _fail(node: Node, message: str) -> NoReturn:
    words = condition_text(Holds(node)) if isinstance(node, Term) else condition_text(node)
    raise Unsound(f"{message}: `{words[:80]}`")
