import pytest
from hypothesis import given

from abac.condition.expr import And, Condition, Holds, Literal, Not, Or, walk
from abac.condition.reference import Assertion, Reference
from abac.condition.rewrite import never_true, simplify
from abac.condition.schema import Assurance
from abac.condition.text import condition_text
from abac.condition.truth import FALSE, TRUE, UNKNOWN
from tests.agreement.strategies import FUNCTIONS, batches, conditions
from tests.reading import condition


@given(conditions, batches(20))
def test_simplifying_never_changes_the_truth(whole, rows):
    simple = simplify(whole)
    for held in rows:
        reference = Reference(held, FUNCTIONS)
        assert reference.truth(simple) is reference.truth(whole)


@given(conditions)
def test_simplifying_twice_is_simplifying_once(whole):
    assert simplify(simplify(whole)) == simplify(whole)


@given(conditions, batches(10))
def test_what_visibly_cannot_be_true_never_is(whole, rows):
    for one in (whole, simplify(whole), And((whole, Not(whole)))):
        if never_true(one):
            assert all(Reference(held, FUNCTIONS).truth(one) is not TRUE for held in rows)


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        ("true && r.sub.flag", "subject.flag"),
        ("false || r.sub.flag", "subject.flag"),
        ("r.sub.flag && false", "false"),
        ("r.sub.flag || true", "true"),
        ("!!r.sub.flag", "subject.flag"),
        ("r.sub.flag && r.sub.flag", "subject.flag"),
        ("r.sub.flag && (r.obj.hidden && true)", "subject.flag && resource.hidden"),
        ("r.sub.flag || !r.sub.flag", "subject.flag || !(subject.flag)"),
        ("r.sub.flag && !r.sub.flag", "subject.flag && !(subject.flag)"),
        ("1 < 2", "true"),
        ('"a" in {"b"}', "false"),
        ("r.sub.name in {}", "false"),
        ("r.sub.name not in {}", "true"),
        ("any_of(r.sub.tags, ())", "false"),
        ("all_of(r.sub.tags, {})", "false"),
        ("none_of(r.sub.tags, {})", "true"),
    ],
)
def test_literals_constants_and_empty_sets_fold(text, simple):
    assert condition_text(condition(text)) == simple


def test_a_written_condition_that_contradicts_itself_is_seen():
    for text in (
        "r.sub.flag && !r.sub.flag",
        "r.sub.flag && r.obj.hidden && !(r.sub.flag && r.obj.hidden)",
        "r.sub.flag && !(r.sub.flag || r.obj.hidden)",
        'r.sub.name == "a" && r.sub.name == "b"',
        "false || (r.sub.age == 1 && r.sub.age == 2)",
    ):
        assert never_true(condition(text)), text


def test_what_may_be_true_is_not_called_impossible():
    for text in ("r.sub.flag", "r.sub.flag || !r.sub.flag", 'r.sub.name == "a" || r.sub.name == "b"', "true"):
        assert not never_true(condition(text)), text
    assert not never_true(Literal(UNKNOWN, of="a pending term"))


def test_an_integer_may_equal_an_integer_and_another_double_by_rounding():
    whole = condition("r.sub.age == 9007199254740993 && r.sub.age == 9007199254740992.0")
    held = {"subject.age": _verified(2**53 + 1)}
    assert Reference(held, {}).truth(whole) is TRUE
    assert not never_true(whole)


def test_a_chain_that_repeats_itself_ten_thousand_times_is_one():
    flag = condition("r.sub.flag")
    assert simplify(Or((flag,) * 10_000)) == flag
    assert simplify(And(tuple(And((flag,)) for _ in range(10_000)))) == flag


def test_simplifying_keeps_pending_terms():
    whole: Condition = Or((Literal(UNKNOWN, of="t"), Literal(FALSE)))
    assert simplify(whole) == Literal(UNKNOWN, of="t")
    assert any(isinstance(n, Literal) for n in walk(simplify(And((whole, Holds(condition("r.sub.flag").term))))))


def _verified(value):
    return Assertion(value, Assurance.VERIFIED)
