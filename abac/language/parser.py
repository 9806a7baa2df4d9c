"""Parse condition text, Casbin's matcher language, into the condition tree.

A Pratt parser (V. R. Pratt, Top down operator precedence, 1973) with Python's precedence, which is what Casbin's
text means to pycasbin: `||` < `&&` < `!` < comparison and `in` < `+ -` < `* /` < unary minus. It gives an untyped
tree with spans; typing is `condition.check`'s part. Text is never spliced: one text is one tree, or an error with
its place.
"""

from __future__ import annotations

from abac.condition.expr import (
    TERMS,
    And,
    Arithmetic,
    Call,
    Comparison,
    Condition,
    Constant,
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
    depth,
)
from abac.condition.truth import FALSE, TRUE
from abac.condition.types import Scalar
from abac.errors import Findings, Span
from abac.language.lexer import Cursor, Sort, TextError, Token, number_value, string_value, tokens
from abac.language.names import REFERENCES, REFUSED, SET_OPERATORS, Names, reference, resolve, set_operator
from abac.language.yaml_source import Text

MAX_DEPTH = 100
"""How deep a condition may nest. Long chains of `&&` or `||` are flat and do not count."""

COMPARISONS = {order.value: order for order in Order}
ARITHMETIC = {operator.value: operator for operator in Operator}

OR, AND, NOT, COMPARISON, SUM, PRODUCT, UNARY = range(1, 8)
BINDING = {
    **dict.fromkeys(("||", "or"), OR),
    **dict.fromkeys(("&&", "and"), AND),
    **dict.fromkeys(("in", "not", "!=", *COMPARISONS), COMPARISON),
    **dict.fromkeys(("+", "-"), SUM),
    **dict.fromkeys(("*", "/"), PRODUCT),
}
"""How tightly each infix operator binds; Python's order."""
TRUTHS = {"true": True, "True": True, "false": False, "False": False}


def parse(text: Text, names: Names, findings: Findings) -> Condition | None:
    """Return the condition that `text` is, untyped, or note a finding and return None."""
    try:
        return _Parser(tokens(text), names).whole()
    except TextError as error:
        findings.error(error.span, error.code, error.message, error.hint)
    except RecursionError:  # the caller's own stack was nearly full
        findings.error(text.span, "nested-too-deep", "nested too deep for the stack it is read on")
    return None


class _Parser(Cursor):
    def __init__(self, found: list[Token], names: Names) -> None:
        super().__init__(found)
        self._names = names
        self._depth = 0

    # --- operators -------------------------------------------------------------------------------------

    def whole(self) -> Condition:
        """Parse to the end of the text: exactly one condition."""
        condition = _as_condition(self._expression(OR))
        if self._now.sort is not Sort.END:
            self._fail(f"expected end of text, found {self._now}")
        if depth(condition) > MAX_DEPTH:
            self._fail(f"nested more than {MAX_DEPTH} deep", code="nested-too-deep")
        return condition

    def _expression(self, least: int) -> Node:
        """Parse as far as operators bind at least as tightly as `least`."""
        with self:
            left = self._prefix(least)
            steps = 0
            while (power := self._power()) >= least:
                steps += power >= SUM
                if steps > MAX_DEPTH:
                    self._fail(f"more than {MAX_DEPTH} terms in one sum or product", code="nested-too-deep")
                left = self._infix(left, self._take(), power)
            return left

    def _power(self) -> int:
        return BINDING.get(self._now.text, 0) if self._now.sort in (Sort.MARK, Sort.NAME) else 0

    def _prefix(self, least: int) -> Node:
        start = self._now
        if self._accept("!", "not"):
            if least > NOT:
                self._fail(f"{start} binds loosely; put it in parentheses here", span=start.span)
            return Not(_as_condition(self._expression(NOT)), span=start.span)
        if self._accept("-"):
            return _negated(_as_term(self._expression(UNARY)), start.span)
        return self._primary()

    def _infix(self, left: Node, mark: Token, power: int) -> Node:
        if power in (OR, AND):
            return self._chain(left, mark, power)
        if power == COMPARISON:
            return self._comparison(_as_term(left), mark)
        right = _as_term(self._expression(power + 1))
        return Arithmetic(ARITHMETIC[mark.text], _as_term(left), right, span=mark.span)

    def _chain(self, left: Node, mark: Token, power: int) -> Condition:
        operands = [_as_condition(left), _as_condition(self._expression(power + 1))]
        while self._power() == power:
            self._take()
            operands.append(_as_condition(self._expression(power + 1)))
        return (Or if power == OR else And)(tuple(operands), span=mark.span)

    def _comparison(self, left: Term, mark: Token) -> Condition:
        denied = mark.text in ("not", "!=")
        if mark.text == "not":
            self._expect("in")
        right = _as_term(self._expression(COMPARISON + 1))
        if self._power() == COMPARISON:
            self._fail("comparisons do not chain; join two of them with `&&`")
        built: Condition
        if mark.text in ("in", "not"):
            built = Member(left, right, span=mark.span)
        else:
            built = Comparison(COMPARISONS.get(mark.text, Order.EQUAL), left, right, span=mark.span)
        return Not(built, span=mark.span) if denied else built

    # --- operands --------------------------------------------------------------------------------------

    def _primary(self) -> Node:
        token = self._take()
        match token.sort:
            case Sort.NUMBER:
                return Constant(number_value(token), span=token.span)
            case Sort.STRING:
                return Constant(string_value(token), span=token.span)
            case Sort.NAME:
                return self._name(token)
            case Sort.MARK if token.text == "(":
                return self._parenthesis(token)
            case Sort.MARK if token.text in "{[":
                return self._set(token, "}" if token.text == "{" else "]")
        return self._fail(f"expected a value or a condition, found {token}", span=token.span)

    def _parenthesis(self, start: Token) -> Node:
        if self._accept(")"):
            return SetConstant(frozenset(), span=start.span)
        inner = self._expression(OR)
        if not self._accept(","):
            self._expect(")")
            return inner
        return self._set(start, ")", inner)

    def _set(self, start: Token, end: str, first: Node | None = None) -> SetConstant:
        items = [] if first is None else [self._element(first)]
        while not self._accept(end):
            items.append(self._element(self._expression(SUM)))
            if not self._accept(","):
                self._expect(end)
                break
        kinds = {type(item) for item in items} - ({int} if float in map(type, items) else set())
        if len(kinds) > 1:
            self._fail("a set holds values of one type", span=start.span, code="type-clash")
        if float in kinds:
            items = [float(item) for item in items]  # type: ignore[arg-type]  # numbers, as just asked
        return SetConstant(frozenset(items), span=start.span)

    def _element(self, node: Node) -> Scalar:
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, Literal):
            return node.truth is TRUE
        return self._fail("a set is written with plain values", span=node.span)

    # --- names: attributes, fields, functions ----------------------------------------------------------

    def _name(self, token: Token) -> Node:
        if token.text in TRUTHS:
            return Literal(TRUE if TRUTHS[token.text] else FALSE, span=token.span)
        if token.text in ("None", "null", "nil"):
            self._fail(
                "comparing with nothing is refused: an absent attribute is UNKNOWN, never equal to anything",
                span=token.span,
                code="refused",
            )
        if self._is("("):
            return self._call(token)
        if self._is("."):
            return self._path(token)
        return self._fail(
            f"`{token.text}` stands alone; attributes are written `r.sub.{token.text}` or `subject.{token.text}`",
            span=token.span,
            code="unknown-name",
        )

    def _path(self, root: Token) -> Node:
        parts = [root.text]
        while self._accept("."):
            part = self._take()
            if part.sort is not Sort.NAME:
                self._fail(f"expected a name after `.`, found {part}", span=part.span)
            parts.append(part.text)
        if self._is("("):
            self._fail("methods cannot be called", code="refused")
        span = Span(root.span.file, root.span.line, root.span.column, len(".".join(parts)))
        return resolve(parts, span, self._names)

    def _call(self, name: Token) -> Node:
        self._expect("(")
        if name.text in REFUSED:
            self._fail(f"`{name.text}`: {REFUSED[name.text]}", span=name.span, code="refused")
        if name.text in REFERENCES:
            argument = self._expression(SUM)
            self._expect(")")
            return reference(name, argument, self._names)
        arguments: list[Term] = []
        while not self._accept(")"):
            arguments.append(_as_term(self._expression(SUM)))
            if not self._accept(","):
                self._expect(")")
                break
        if name.text in SET_OPERATORS:
            return set_operator(name, arguments)
        return Call(name.text, tuple(arguments), span=name.span)

    # --- depth -----------------------------------------------------------------------------------------

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"nested more than {MAX_DEPTH} deep", code="nested-too-deep")

    def __exit__(self, *_: object) -> None:
        self._depth -= 1


def _as_condition(node: Node) -> Condition:
    """A term where a condition is due is asked whether it holds; the checker wants a bool there."""
    return Holds(node, span=node.span) if isinstance(node, TERMS) else node


def _negated(operand: Term, span: Span) -> Term:
    if isinstance(operand, Constant) and type(operand.value) in (int, float):
        return Constant(-operand.value, span=span)  # type: ignore[operator]  # a number, as just asked
    return Arithmetic(Operator.SUBTRACT, Constant(0, span=span), operand, span=span)


def _as_term(node: Node) -> Term:
    if isinstance(node, TERMS):
        return node
    if isinstance(node, Literal):
        return Constant(node.truth is TRUE, span=node.span)
    raise TextError(node.span, "type-clash", "a condition stands where a value is due")
