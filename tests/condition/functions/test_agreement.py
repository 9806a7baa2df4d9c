"""Every built-in function has one answer: the reference's, in the closure, the index and the columns alike."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abac.backends.closure import lower
from abac.backends.columnar import Frame, truths
from abac.compiler.program import assemble
from abac.condition.expr import Comparison, Constant, Holds, Order, attributes
from abac.condition.functions import SHIPPED
from abac.condition.reference import Reference
from abac.condition.truth import Truth, truth
from abac.condition.types import BOOL, STRING
from abac.pdp.decide import decide
from abac.policy.decision import Decision, Effect
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule
from tests.agreement.columns import table
from tests.agreement.strategies import FUNCTIONS, SCHEMA, as_request, batches, built_in

DECISIONS = {
    Truth.TRUE: Decision.PERMIT,
    Truth.FALSE: Decision.NOT_APPLICABLE,
    Truth.UNKNOWN: Decision.INDETERMINATE,
}


def asks(name):
    """A condition that is one call: a test, or a text compared with one that it can be."""
    if SHIPPED[name].result == BOOL:
        return built_in(name).map(Holds)
    other = st.sampled_from(("", "a", "orgs/a", "x")).map(lambda text: Constant(text, STRING))
    return st.builds(Comparison, st.sampled_from((Order.EQUAL, Order.LESS)), built_in(name), other)


def check(condition, rows):
    expected = [Reference(row, FUNCTIONS).truth(condition) for row in rows]
    closure = lower(condition, FUNCTIONS)
    assert [closure(row) for row in rows] == expected
    columns = Frame.encode(table(rows, SCHEMA, set(attributes(condition)) | {"subject.flag"}), SCHEMA)
    (series,) = truths([condition], columns, {}, FUNCTIONS)
    assert [truth(value) for value in series] == expected
    policy = Policy("p", Algorithm.DENY_OVERRIDES, (Rule("r", Effect.PERMIT, condition),))
    program = assemble(SCHEMA, PolicySet("all", Algorithm.DENY_OVERRIDES, (policy,)), FUNCTIONS)
    for row, answer in zip(rows, expected, strict=True):
        assert decide(program, as_request(row)).decision is DECISIONS[answer]
    return expected


@pytest.mark.parametrize("name", SHIPPED)
def test_every_back_end_answers_as_the_reference(name):
    seen: set[Truth] = set()

    @settings(max_examples=40)
    @given(asks(name), batches(20))
    def agree(condition, rows):
        seen.update(check(condition, rows))

    agree()
    assert seen == set(Truth)
