"""Bring terms into what stock Casbin computes alike, with guards where only we say that there is no value.

Python's integers never overflow, its doubles become infinite, and its division by zero raises: a guard in front of
what reads such a term says when it has a value here. `simpleeval` refuses some attribute names; they are refused
here first. Tests of terms are `casbin_out.lower`'s part.
"""

from __future__ import annotations

import keyword
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn, assert_never

from simpleeval import DISALLOW_METHODS, DISALLOW_PREFIXES

from abac.condition.expr import (
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Condition,
    Constant,
    Field,
    Not,
    Operator,
    Order,
    SetConstant,
    Term,
)
from abac.condition.functions import SHIPPED, Function
from abac.condition.types import DATETIME, FLOAT, INT, INT_MAX, INT_MIN, STRING, ScalarType

Guards = tuple[Condition, ...]
"""Tests, in the order they must be asked, that all hold exactly where a term has a value."""


class Unsayable(Exception):  # noqa: N818  # control flow inside `casbin_out`: it becomes a note
    """A part of a condition that stock Casbin cannot say; the message is the reason."""


class StockTerms:
    """Lowers terms under the functions of one program."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions

    def term(self, term: Term) -> tuple[Term, Guards]:
        """Return the term as stock computes it, and when it has a value. Raises `Unsayable`."""
        match term:
            case Attribute():
                return attribute(term), ()
            case Constant() | SetConstant():
                return term, ()
            case Arithmetic():
                return self._arithmetic(term)
            case Call():
                return self._call(term)
            case Field():
                return _no("a row's field that was not linked")
            case _:
                assert_never(term)

    def pair(self, left: Term, right: Term) -> tuple[Term, Term, Guards]:
        """Return two terms that meet: an int that meets a double is rounded to one first, as it is here."""
        (first, before), (second, after) = self.term(left), self.term(right)
        if INT in (first.type, second.type) and FLOAT in (first.type, second.type):  # type: ignore[union-attr]  # typed
            first, second = double(first), double(second)
        return first, second, (*before, *after)

    def _arithmetic(self, node: Arithmetic) -> tuple[Term, Guards]:
        left, right, guards = self.pair(node.left, node.right)
        if left.type == DATETIME:  # type: ignore[union-attr]  # typed
            _no("date-times are text in the request, and text cannot be subtracted")
        if node.operator is Operator.DIVIDE:
            left, right = double(left), double(right)
            guards = (*guards, Not(Comparison(Order.EQUAL, right, Constant(0.0, FLOAT))))
        computed = replace(node, left=left, right=right)
        kind = INT if node.type == INT else FLOAT
        low, high = (INT_MIN, INT_MAX) if kind == INT else (-sys.float_info.max, sys.float_info.max)
        finite = (
            Comparison(Order.AT_LEAST, computed, Constant(low, kind)),
            Comparison(Order.AT_MOST, computed, Constant(high, kind)),
        )
        return computed, (*guards, *finite)

    def _call(self, node: Call) -> tuple[Term, Guards]:
        name = node.function
        if self._functions.get(name) is not SHIPPED.get(name):
            _no(f"`{name}` is a function of our own")
        match name, node.arguments:
            case "keyMatch", (key, pattern):
                return self._matched(node, key, pattern)
            case "startsWith", (text, Constant(value=str(prefix))) if "*" not in prefix:
                return self._matched(replace(node, function="keyMatch"), text, Constant(prefix + "*", STRING))
            case "keyMatch2" | "keyMatch3" | "keyMatch5", (
                Attribute() as key,
                Constant(value=str(written)) as pattern,
            ):
                if "." in written:
                    _no(f"in stock Casbin's `{name}` a dot stands for any character")
                if not _is_taken(SHIPPED[name], written):
                    _no(f"`{name}` has no value of this pattern")
                return self._matched(node, key, pattern)
            case "ipMatch", _:
                _no("stock Casbin's `ipMatch` raises where the text is no IP address")
        return _no(f"stock Casbin has no `{name}` that means the same")

    def _matched(self, node: Call, value: Term, pattern: Term) -> tuple[Term, Guards]:
        (first, before), (second, after) = self.term(value), self.term(pattern)
        return replace(node, arguments=(first, second)), (*before, *after)


def attribute(node: Attribute) -> Attribute:
    """Return the attribute if stock can read one of that name. Raises `Unsayable`."""
    name = node.name
    if keyword.iskeyword(name):
        _no(f"`{name}` is a word of Python's own")
    if name.startswith(tuple(DISALLOW_PREFIXES)) or name in DISALLOW_METHODS:
        _no(f"stock Casbin refuses to read an attribute named `{name}`")
    if unicodedata.normalize("NFKC", name) != name:
        _no(f"Python reads the name `{name}` as another")
    return node


def double(term: Term) -> Term:
    """Return a number rounded to a double: adding 0.0 does to an int what we do when it meets one."""
    if isinstance(term, Constant) and isinstance(term.value, int):
        return replace(term, value=float(term.value), type=FLOAT)
    if isinstance(term.type, ScalarType) and term.type == INT:  # type: ignore[union-attr]  # typed: not a Field
        return Arithmetic(Operator.ADD, term, Constant(0.0, FLOAT), FLOAT)
    return term


def _is_taken(function: Function, pattern: str) -> bool:
    """Whether a pattern is one that the function takes, as the checker asks of one that is read from text."""
    try:
        function.inspect[1](pattern)
    except ValueError:
        return False
    return "\n" not in pattern


def _no(reason: str) -> NoReturn:
    raise Unsayable(reason)
