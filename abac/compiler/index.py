"""The index of a program: per attribute and value, which rules are still possible and which are certain.

Rules are numbered; sets of rules are Python integers used as bit sets. A rule is split into conjuncts. A conjunct
that reads one attribute goes into that attribute's table, where each value seen has its two masks, memoised; what
reads more is a closure, run only for the rules still standing. So a decision costs a look-up and two ANDs per
attribute, whatever the number of rules. Memos are bounded by count and cleared when full.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from abac.backends.closure import Assertions, Test, lower
from abac.condition.expr import And, Condition, attributes
from abac.condition.functions import Function
from abac.condition.reference import Assertion
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.types import INT_MAX, INT_MIN, Kind, ScalarType
from abac.policy.decision import Outcome
from abac.policy.request import Source, read_assertion
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule, policies

MEMO_LIMIT = 20_000
"""How many values one attribute's memo holds before it starts afresh."""

Slot = Rule | ObligationRule
Masks = int
"""Two bit sets over the rules in one integer: the possible ones low, the certain ones shifted by their number."""


@dataclass(slots=True)
class Table:
    """One attribute's conjuncts, and the masks of the values seen so far.

    A value of class `plain` is its own key in `memo`, for trusted sources; others have a `memo_key`.
    `sound` says of a plain value whether it visibly passes the door.
    """

    definition: AttributeDefinition
    rules: int
    plain: type | None
    sound: Callable[[Any], bool]
    conjuncts: list[tuple[int, Test]] = field(default_factory=list)
    memo: dict[object, Masks] = field(default_factory=dict)
    odd: dict[object, Masks] = field(default_factory=dict)
    absent: Masks = 0

    def masks(self, value: object, source: Source) -> Masks:
        """Return the masks of a raw request value; checks it at the door when first seen."""
        if value.__class__ is self.plain and source.schema_defaults:
            memo, key = self.memo, value
        else:
            memo, key = self.odd, memo_key(value, source)
        found = memo.get(key) if key is not None else None
        if found is not None:
            return found
        found = self.of(read_assertion(value, self.definition, source))
        if key is not None:
            if len(memo) >= MEMO_LIMIT:
                memo.clear()
            memo[key] = found
        return found

    def of(self, assertion: Assertion | None) -> Masks:
        """Return the masks of an assertion by asking every conjunct."""
        request: Assertions = {} if assertion is None else {self.definition.path: assertion}
        impossible = uncertain = 0
        for bit, test in self.conjuncts:
            truth = test(request)
            if truth < 2:  # noqa: PLR2004  # TRUE
                uncertain |= bit
                if not truth:
                    impossible |= bit
        everything = (1 << self.rules) - 1
        return everything & ~impossible | (everything & ~uncertain) << self.rules

    def check(self, value: object, source: Source) -> None:
        """Check at the door a value that no rule reads. Raises `RequestError`."""
        if value.__class__ is not self.plain or not self.sound(value):
            read_assertion(value, self.definition, source)


def memo_key(value: object, source: Source) -> object | None:
    """Return a key under which equal keys mean the same assertion, or None where there is none cheaply.

    INVARIANT: the type is part of the key, since `True == 1` and `hash(True) == hash(1)`.
    """
    kind, defaults = value.__class__, source.schema_defaults
    if kind in (list, tuple, set, frozenset):
        items: tuple[object, ...] = tuple(value)  # type: ignore[arg-type]  # one of the four
        classes = {item.__class__ for item in items}
        return (kind, items, classes.pop(), defaults) if len(classes) == 1 and classes <= _PLAIN else None
    return (kind, value, defaults) if kind in _PLAIN else None


_PLAIN = {str, int, float, bool}


def _table(definition: AttributeDefinition, rules: int) -> Table:
    """Return an empty table. Plain are the values that are the attribute's as they stand, and cheap to key."""
    kind = definition.type
    if not isinstance(kind, ScalarType) or kind.kind is Kind.DATETIME:
        return Table(definition, rules, None, lambda _: False)
    match kind.kind:
        case Kind.BOOL:
            return Table(definition, rules, bool, lambda _: True)
        case Kind.INT:
            return Table(definition, rules, int, lambda value: INT_MIN <= value <= INT_MAX)
        case Kind.FLOAT:
            return Table(definition, rules, float, lambda value: value - value == 0)  # finite
        case Kind.STRING:
            return Table(definition, rules, str, lambda value: value.isascii() and "\0" not in value)
        case Kind.ENUM | Kind.ORDERED:
            return Table(definition, rules, str, frozenset(kind.values).__contains__)
        case _:
            assert_never(kind.kind)


Read = tuple[str, type | None, Callable[[object], Masks | None], Table]
"""An attribute's name, its plain class, its memo's look-up, and its table."""


@dataclass(frozen=True, slots=True)
class Index:
    """The rules of a program by number, their tables, and the conjuncts over several attributes.

    `reads` are, per category, the attributes that have conjuncts; `tables` are those of all attributes by category
    and name; `attributes` names all that any rule reads. `owing` are the rules of either effect with obligations.
    `outcomes` remembers the definite ones.
    """

    slots: tuple[Slot, ...]
    tables: Mapping[Category, Mapping[str, Table]]
    reads: tuple[tuple[Category, tuple[Read, ...]], ...]
    attributes: frozenset[str]
    several: Mapping[int, Test]
    several_mask: int
    start: Masks
    permits: int
    denies: int
    owing: int
    outcomes: dict[object, Outcome] = field(default_factory=dict)


def build(root: Policy | PolicySet, schema: Schema, functions: Mapping[str, Function]) -> Index:
    """Number the rules of a tree in order and sort their conjuncts into tables."""
    slots: list[Slot] = []
    for policy in policies(root):
        slots += policy.rules
        slots += policy.obligation_rules
    tables = {d.path: _table(d, len(slots)) for d in schema}
    several: dict[int, list[Test]] = {}
    possible = certain = (1 << len(slots)) - 1
    for number, slot in enumerate(slots):
        for conjunct in conjuncts(slot.condition):
            test, read = lower(conjunct, functions), attributes(conjunct)
            if not read:
                truth = test({})
                certain &= ~((truth < 2) << number)  # noqa: PLR2004  # TRUE
                possible &= ~((truth == 0) << number)
            elif len(read) == 1:
                tables[next(iter(read))].conjuncts.append((1 << number, test))
            else:
                several.setdefault(number, []).append(test)
    for table in tables.values():
        table.absent = table.of(None)
    by_category = {c: {d.name: tables[d.path] for d in schema if d.category is c} for c in Category}
    return Index(
        tuple(slots),
        by_category,
        tuple((category, _reads(named)) for category, named in by_category.items()),
        frozenset(path for slot in slots for path in attributes(slot.condition)),
        {number: _all(tests) for number, tests in several.items()},
        sum(1 << number for number in several),
        possible | certain << len(slots),
        _mask(slots, "PERMIT"),
        _mask(slots, "DENY"),
        sum(1 << n for n, slot in enumerate(slots) if slot.obligations),
    )


def _reads(named: Mapping[str, Table]) -> tuple[Read, ...]:
    return tuple((name, t.plain, t.memo.get, t) for name, t in named.items() if t.conjuncts)


def conjuncts(condition: Condition) -> Sequence[Condition]:
    """Return the conditions that must all hold."""
    return condition.operands if isinstance(condition, And) else (condition,)


def _all(tests: Sequence[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda request: min(test(request) for test in tests)


def _mask(slots: Sequence[Slot], effect: str) -> int:
    return sum(1 << n for n, s in enumerate(slots) if isinstance(s, Rule) and s.effect.value == effect)
