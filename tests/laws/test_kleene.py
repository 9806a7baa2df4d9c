"""The laws of strong Kleene logic, held on the reference: on the three values, and on conditions over requests."""

from itertools import product

import pytest
from hypothesis import given

from abac.condition.expr import And, Condition, Literal, Not, Or
from abac.condition.reference import Reference
from abac.condition.truth import FALSE, TRUE, UNKNOWN, Truth, all_true, any_true, truth
from tests.agreement.strategies import FUNCTIONS, batches, conditions

EQUAL_TWO = {
    "De Morgan of a conjunction": lambda a, b: (Not(And((a, b))), Or((Not(a), Not(b)))),
    "De Morgan of a disjunction": lambda a, b: (Not(Or((a, b))), And((Not(a), Not(b)))),
    "double negation": lambda a, _: (Not(Not(a)), a),
    "idempotence of conjunction": lambda a, _: (And((a, a)), a),
    "idempotence of disjunction": lambda a, _: (Or((a, a)), a),
    "commutativity of conjunction": lambda a, b: (And((a, b)), And((b, a))),
    "commutativity of disjunction": lambda a, b: (Or((a, b)), Or((b, a))),
    "absorption by disjunction": lambda a, b: (Or((a, And((a, b)))), a),
    "absorption by conjunction": lambda a, b: (And((a, Or((a, b)))), a),
    "identity of conjunction": lambda a, _: (And((a, Literal(TRUE))), a),
    "identity of disjunction": lambda a, _: (Or((a, Literal(FALSE))), a),
    "domination of conjunction": lambda a, _: (And((a, Literal(FALSE))), Literal(FALSE)),
    "domination of disjunction": lambda a, _: (Or((a, Literal(TRUE))), Literal(TRUE)),
    "a chain of one": lambda a, _: (And((a,)), Or((a,))),
}
EQUAL_THREE = {
    "associativity of conjunction": lambda a, b, c: (And((a, And((b, c)))), And((a, b, c))),
    "associativity of disjunction": lambda a, b, c: (Or((Or((a, b)), c)), Or((a, b, c))),
    "distribution over disjunction": lambda a, b, c: (And((a, Or((b, c)))), Or((And((a, b)), And((a, c))))),
    "distribution over conjunction": lambda a, b, c: (Or((a, And((b, c)))), And((Or((a, b)), Or((a, c))))),
}
LITERALS = [Literal(t) for t in Truth]


def _truth(whole: Condition) -> Truth:
    return Reference({}, {}).truth(whole)


@pytest.mark.parametrize("law", EQUAL_TWO)
def test_a_law_of_two_holds_of_the_three_values(law):
    for a, b in product(LITERALS, repeat=2):
        left, right = EQUAL_TWO[law](a, b)
        assert _truth(left) is _truth(right), (a, b)


@pytest.mark.parametrize("law", EQUAL_THREE)
def test_a_law_of_three_holds_of_the_three_values(law):
    for a, b, c in product(LITERALS, repeat=3):
        left, right = EQUAL_THREE[law](a, b, c)
        assert _truth(left) is _truth(right), (a, b, c)


@given(conditions, conditions, conditions, batches(10))
def test_every_law_holds_of_any_conditions_on_any_request(a, b, c, rows):
    laws = [law(a, b) for law in EQUAL_TWO.values()] + [law(a, b, c) for law in EQUAL_THREE.values()]
    for held in rows:
        reference = Reference(held, FUNCTIONS)
        for left, right in laws:
            assert reference.truth(left) is reference.truth(right)


def test_complement_laws_do_not_hold():
    unknown = Literal(UNKNOWN)
    assert _truth(Or((unknown, Not(unknown)))) is UNKNOWN
    assert _truth(And((unknown, Not(unknown)))) is UNKNOWN


def test_the_tables_are_kleenes():
    # S. C. Kleene, Introduction to Metamathematics, 1952, section 64
    t, u, f = TRUE, UNKNOWN, FALSE
    conjunction = {(t, t): t, (t, u): u, (t, f): f, (u, u): u, (u, f): f, (f, f): f}
    disjunction = {(t, t): t, (t, u): t, (t, f): t, (u, u): u, (u, f): u, (f, f): f}
    for (a, b), both in conjunction.items():
        assert a & b is b & a is all_true([a, b]) is both
    for (a, b), either in disjunction.items():
        assert a | b is b | a is any_true([a, b]) is either
    assert (~t, ~u, ~f) == (f, u, t)
    assert (all_true([]), any_true([])) == (TRUE, FALSE)
    assert (truth(True), truth(False), truth(None)) == (TRUE, FALSE, UNKNOWN)
