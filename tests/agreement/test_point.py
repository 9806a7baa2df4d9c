"""The closure equals the reference in truth; the index equals it in the whole outcome."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abac.backends.closure import lower
from abac.compiler.program import assemble
from abac.condition.reference import Reference
from abac.pdp.decide import decide
from abac.policy import reference
from abac.policy.request import assertions
from abac.policy.rule import Algorithm, PolicySet
from tests.agreement import strategies as abac_st

FUNCTIONS, SCHEMA = abac_st.FUNCTIONS, abac_st.SCHEMA
DEFAULT = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))


def check_closure(condition, rows):
    test = lower(condition, FUNCTIONS)
    for row in rows:
        assert test(row) == Reference(row, FUNCTIONS).truth(condition)


def check_index(root, rows, discharges):
    """Decide every row twice, so that the second answer comes from the memo."""
    program = assemble(SCHEMA, PolicySet("all", Algorithm.DENY_OVERRIDES, (root,)), FUNCTIONS)
    for row in [*rows, *rows]:
        request = abac_st.as_request(row)
        assert assertions(request, SCHEMA).keys() == row.keys()
        outcome = decide(program, request, discharges=discharges)
        expected = reference.decide(program.root, row, FUNCTIONS, discharges=discharges, revision=program.revision)
        assert outcome == expected


discharged = st.frozensets(st.sampled_from(["duty-1", "duty-2", "duty-3"]))


@DEFAULT
@given(abac_st.conditions, abac_st.batches(30))
def test_the_closure_equals_the_reference(condition, rows):
    check_closure(condition, rows)


@settings(DEFAULT, max_examples=200)
@given(abac_st.trees(), abac_st.batches(8), discharged)
def test_the_index_equals_the_reference(root, rows, discharges):
    check_index(root, rows, discharges)


@pytest.mark.law
@pytest.mark.parametrize("_", range(5))
def test_the_closure_equals_the_reference_at_length(_):
    @settings(LONG, max_examples=4_000)  # in parts, since Hypothesis remembers what it drew
    @given(abac_st.conditions, abac_st.batches(50))
    def law(condition, rows):
        check_closure(condition, rows)

    law()


@pytest.mark.law
@LONG
@given(abac_st.trees(), abac_st.batches(20), discharged)
def test_the_index_equals_the_reference_at_length(root, rows, discharges):
    check_index(root, rows, discharges)
