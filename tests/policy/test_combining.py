"""The vectors hold the tables; here is what is true of all of them."""

from itertools import product

import pytest

from abac.policy.combining import COMBINE, denied_by_default
from abac.policy.decision import Decision, Extended
from abac.policy.rule import SAFE, Algorithm

P, D, NA, IP, ID, IDP = Extended
DEFINITE = (P, D, NA)
MORE = {IP: (P, NA, IP), ID: (D, NA, ID), IDP: (P, D, NA, IP, ID, IDP)}
"""What an indeterminate answer may become as more is known."""


def _refinements(answers):
    return product(*(MORE.get(a, (a,)) for a in answers))


@pytest.mark.parametrize("algorithm", SAFE, ids=lambda a: a.value)
@pytest.mark.parametrize("length", range(4))
def test_an_answer_leaves_open_whatever_more_knowledge_can_make_of_it(algorithm, length):
    combine = COMBINE[algorithm]
    for answers in product(Extended, repeat=length):
        before = combine(answers)
        for refined in _refinements(answers):
            after = combine(refined)
            if algorithm is Algorithm.DENY_UNLESS_PERMIT:
                assert before is D or after is P
            else:
                assert after & ~before == 0, (answers, refined)


@pytest.mark.parametrize("algorithm", Algorithm, ids=lambda a: a.value)
def test_of_definite_answers_a_definite_one_is_made(algorithm):
    for answers in product(DEFINITE, repeat=3):
        assert COMBINE[algorithm](answers) in DEFINITE


@pytest.mark.parametrize("name", ["first-applicable", "permit-unless-deny"])
def test_the_standards_forms_differ_from_ours_only_where_something_is_unknown(name):
    ours, theirs = COMBINE[Algorithm(name)], COMBINE[Algorithm(f"xacml-{name}")]
    differ = [a for a in product(Extended, repeat=2) if ours(a) is not theirs(a)]
    assert differ
    assert all(set(answers) & set(MORE) for answers in differ)
    assert all(ours(a) is theirs(a) for a in product(DEFINITE, repeat=3))


def test_a_default_of_deny_turns_what_may_not_apply_into_deny():
    assert [denied_by_default(a) for a in (P, D, NA, IP, ID, IDP)] == [P, D, D, IDP, D, IDP]


def test_only_permit_is_a_decision_to_permit():
    assert [e.decision for e in Extended].count(Decision.PERMIT) == 1
    assert [e.decision for e in (IP, ID, IDP)] == [Decision.INDETERMINATE] * 3
    assert [e.may_permit for e in Extended] == [True, False, False, True, False, True]
    assert [e.may_deny for e in Extended] == [False, True, False, False, True, True]
