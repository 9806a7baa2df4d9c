"""Every pair of questions that one rule may ask of one set, on every small set: equal to the closure."""

from itertools import chain, combinations, product

import pytest

from abac.backends.closure import lower
from abac.compiler.index.layer import layer
from abac.condition.expr import AllOf, AnyOf, Attribute, Constant, Member, Not, SetConstant
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, AttributeDefinition, Category
from abac.condition.types import STRING, SetType

TAGS = AttributeDefinition(Category.SUBJECT, "tags", SetType(STRING))
CAPACITY, SLOT = 7, 3


def _set(*values):
    return SetConstant(frozenset(values), SetType(STRING))


def _questions(least):
    tags = Attribute(Category.SUBJECT, "tags", SetType(STRING), least)
    for values in (("a",), ("b",), ("a", "b")):
        yield from (AnyOf(tags, _set(*values)), Not(AnyOf(tags, _set(*values))))
        yield from (AllOf(tags, _set(*values)), Not(AllOf(tags, _set(*values))), AllOf(_set(*values), tags))
    yield from (Member(Constant("a", STRING), tags), Not(Member(Constant("b", STRING), tags)))


QUESTIONS = [*_questions(Assurance.INFERRED), *_questions(Assurance.VERIFIED)]
SUBSETS = list(chain.from_iterable(combinations("abc", size) for size in range(4)))


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("level", [Assurance.DECLARED, Assurance.VERIFIED])
def test_two_questions_of_one_rule_are_asked_apart(level, complete):
    for one, other in product(QUESTIONS, repeat=2):
        made = layer(TAGS, {SLOT: [one, other]}, {}, CAPACITY)
        tests = [lower(c, {}) for c in (one, other)]
        for values in SUBSETS:
            held = Assertion(frozenset(values), level, complete)
            mask = made.at(level).mask(held.value, complete) | made.closed(held)
            expected = min(test({TAGS.path: held}) for test in tests)
            impossible, open_ = mask >> SLOT & 1, (mask >> CAPACITY | mask >> 2 * CAPACITY) >> SLOT & 1
            assert (0 if impossible else 1 if open_ else 2) == expected, (one, other, values)
