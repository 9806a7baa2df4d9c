"""Write lowered conditions as matcher text that stock Casbin and our own parser read alike.

Stock edits text before it parses it: `&&`, `||` and `!` also inside strings, `r.` and `p.` where a word ends, `#`
to the end of the line, commas and brackets of a row. So a string holds such characters only as escapes. What may
be said at all is `casbin_out.lower`'s part.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import assert_never

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
)
from abac.condition.schema import Category
from abac.condition.truth import TRUE
from abac.condition.types import Scalar

SHORT = {
    Category.SUBJECT: "sub",
    Category.RESOURCE: "obj",
    Category.ACTION: "act",
    Category.ENVIRONMENT: "env",
}
"""Casbin's names for the categories, in the order of a request."""

_SAFE = re.compile(r"[A-Za-z0-9 _.:/@+*=<>;?~$%^-]")
_REQUEST_NAME = re.compile(r"\b([rp]\d*)\.")
"""What stock takes for the start of `r.sub` or `p.act`, also inside a string."""


class StockText:
    """Writes conditions; the action is the bare `r.act` where nothing but its name is read."""

    def __init__(self, bare_action: bool) -> None:
        self._bare_action = bare_action

    def condition(self, node: Condition, *, loose: bool = True) -> str:
        """Return the text of a lowered condition."""
        match node:
            case Literal(truth=fixed):
                return str(fixed is TRUE)
            case Holds(term=term):
                return self.term(term)
            case Comparison(order=order, left=left, right=right):
                return f"{self.term(left)} {order.value} {self.term(right)}"
            case Member(element=element, collection=collection):
                return f"{self.term(element)} in {self.term(collection)}"
            case Not(operand=Comparison(order=Order.EQUAL, left=left, right=right)):
                return f"{self.term(left)} != {self.term(right)}"
            case Not(operand=operand):
                return f"!({self.condition(operand)})"
            case And(operands=operands) | Or(operands=operands):
                mark, empty = (" && ", "True") if isinstance(node, And) else (" || ", "False")
                inner = mark.join(self.condition(o, loose=False) for o in operands) or empty
                return inner if loose or len(operands) < 2 else f"({inner})"  # noqa: PLR2004  # a chain of one is no chain
            case AnyOf() | AllOf() | Definition():
                raise AssertionError(f"{type(node).__name__} was not lowered")
            case _:
                assert_never(node)

    def term(self, node: Term) -> str:
        """Return the text of a lowered term."""
        match node:
            case Attribute(category=category, name=name):
                return self.name(category, name)
            case Constant(value=value):
                return scalar_text(value)
            case SetConstant(values=values):
                members = [scalar_text(v) for v in sorted(values)]
                return f"({', '.join(members)}{',' if len(members) == 1 else ''})"
            case Arithmetic(operator=operator, left=left, right=right):
                return f"({self.term(left)} {operator.value} {self.term(right)})"
            case Call(function=function, arguments=arguments):
                return f"{function}({', '.join(self.term(a) for a in arguments)})"
            case Field(name=name):
                raise AssertionError(f"field `{name}` was not linked")
            case _:
                assert_never(node)

    def name(self, category: Category, name: str) -> str:
        """Return how an attribute is read from the request."""
        if category is Category.ACTION and name == "name" and self._bare_action:
            return "r.act"
        return f"r.{SHORT[category]}.{name}"


def scalar_text(value: Scalar) -> str:
    """Return a scalar as stock Casbin reads it; date-times as text that sorts as they do."""
    match value:
        case datetime():
            return quoted(instant_text(value))
        case str():
            return quoted(value)
        case _:
            return repr(value)


def instant_text(value: datetime) -> str:
    """Return a date-time in the one form whose order as text is the order in time.

    >>> instant_text(datetime(2026, 6, 12, 21, 21, tzinfo=UTC))
    '2026-06-12T21:21:00.000000Z'
    """
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def quoted(value: str) -> str:
    r"""Return a string literal that no text edit of stock's can hurt.

    >>> print(quoted("a && b"), quoted("r.x, p2.y"))
    "a \x26\x26 b" "r\x2ex\x2c p2\x2ey"
    """
    text = '"' + "".join(c if _SAFE.fullmatch(c) else _escaped(c) for c in value) + '"'
    return _REQUEST_NAME.sub(r"\1\\x2e", text)


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:  # noqa: PLR2004  # two hexadecimal digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004  # four, or eight


def row_id(name: str) -> str:
    """Return a rule's id as a field of a row: what a row cannot hold is percent-encoded.

    >>> row_id("d1/fable-5"), row_id("a, b")
    ('d1/fable-5', 'a%2c%20b')
    """
    return "".join(c if re.fullmatch(r"[\w./@:#+-]", c, re.ASCII) else _percent(c) for c in name)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02x}" for byte in character.encode(errors="surrogatepass"))
