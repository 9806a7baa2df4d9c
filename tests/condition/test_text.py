import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from abac.condition.check import check
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Arithmetic,
    Attribute,
    Comparison,
    Constant,
    Holds,
    Literal,
    Member,
    Not,
    Or,
    Order,
    SetConstant,
    children,
    walk,
)
from abac.condition.reference import Reference
from abac.condition.rewrite import simplify
from abac.condition.schema import Assurance, Category
from abac.condition.terms import Vocabulary
from abac.condition.text import condition_text, scalar_text
from abac.condition.truth import FALSE, TRUE, UNKNOWN
from abac.condition.types import FLOAT, INT, STRING, Kind, SetType
from abac.errors import Findings
from abac.language.condition import Context, read_condition
from tests.agreement.strategies import FUNCTIONS, SCHEMA, batches, conditions
from tests.reading import condition, text

CONTEXT = Context(Vocabulary(SCHEMA, FUNCTIONS))


def _writable(whole) -> bool:
    """Whether a condition has a text that is read back: no demands, nothing pending, no computed date-time."""
    for node in walk(whole):
        if isinstance(node, Attribute) and node.least > Assurance.INFERRED:
            return False
        if isinstance(node, Literal) and node.truth is UNKNOWN:
            return False
        dated = [c for c in _constants(node) if c.type.kind is Kind.DATETIME]
        if dated and not (isinstance(node, Comparison) and len(dated) == 1):
            return False
        both = isinstance(node, Comparison) and not any(isinstance(n, Attribute) for n in walk(node))
        if both or _untypable(node):
            return False
    return True


def _constants(node) -> list[Constant]:
    return [c for c in children(node) if isinstance(c, Constant)]


def _untypable(node) -> bool:
    """A constant or a written set that stands with no attribute beside it takes its type from its own look."""
    if isinstance(node, Member | AnyOf | AllOf):
        return not any(isinstance(n, Attribute) for n in children(node))
    return False


def _read(written: str):
    findings = Findings()
    read = read_condition(text(written), CONTEXT, findings)
    assert not findings.errors, written
    return read


@given(conditions)
def test_what_is_written_is_read_back_the_same(whole):
    checked = check(whole, CONTEXT.vocabulary, Findings())  # which takes the demands off
    assume(checked is not None and _writable(checked))
    written = condition_text(simplify(checked))
    assert condition_text(_read(written)) == written


@given(conditions, batches(10))
def test_what_is_read_back_means_the_same(whole, rows):
    checked = check(whole, CONTEXT.vocabulary, Findings())
    assume(checked is not None and _writable(checked))
    read = _read(condition_text(checked))
    for held in rows:
        reference = Reference(held, FUNCTIONS)
        assert reference.truth(read) is reference.truth(checked)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_string_is_read_back_as_itself(value):
    name = Attribute(Category.SUBJECT, "name", STRING)
    whole = Comparison(Order.EQUAL, name, Constant(value, STRING))
    assert condition(condition_text(whole)) == whole


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_double_is_read_back_as_itself_but_for_the_sign_of_zero(value):
    weight = Attribute(Category.SUBJECT, "weight", FLOAT)
    read = condition(condition_text(Comparison(Order.EQUAL, weight, Constant(value, FLOAT))))
    assert repr(read.right.value) == repr(value + 0.0)


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_integer_of_64_bits_is_read_back_as_itself(value):
    age = Attribute(Category.SUBJECT, "age", INT)
    whole = Comparison(Order.EQUAL, age, Constant(value, INT))
    assert condition(condition_text(whole)) == whole


@pytest.mark.parametrize(
    "written",
    [
        "(subject.flag || resource.hidden) && subject.age > 3",
        "!(subject.flag && resource.hidden)",
        "!(!(subject.flag) || resource.hidden)",
        'subject.country not in {"FR", "US"}',
        'subject.country != "FR"',
        'none_of(subject.tags, {"a", "b"})',
        "all_of(subject.citizenships, subject.citizenships)",
        "((subject.age - (1 + -2)) / 3) < -0.5",
        'environment.now >= "2026-06-12T21:21:00.000001Z"',
        "(environment.now - subject.born) > 86400.0",
        'subject.name == "\\"quoted\\" \\\\ line\\n end # && || \u2028 \U0001d11e"',
        'keyMatch(lower(subject.name), "/models/*")',
        "subject.age in subject.marks",
    ],
)
def test_canonical_text_is_its_own_canonical_text(written):
    assert condition_text(condition(written)) == written


def test_a_set_is_written_in_one_order_whatever_order_it_was_built_in():
    tags = Attribute(Category.SUBJECT, "tags", SetType(STRING))
    names = [f"n{i}" for i in range(50)]
    one, other = (SetConstant(frozenset(given), SetType(STRING)) for given in (names, list(reversed(names))))
    assert condition_text(AnyOf(tags, one)) == condition_text(AnyOf(tags, other))


def test_demands_and_pending_terms_show_in_the_text_for_digests():
    flag = Attribute(Category.SUBJECT, "flag", least=Assurance.VERIFIED)
    assert condition_text(Holds(flag), demands=True) == "subject.flag@verified"
    assert condition_text(Holds(flag)) == "subject.flag"
    assert condition_text(Literal(UNKNOWN, of="resource.covered")) == 'pending("resource.covered")'


def test_empty_chains_are_written_as_what_they_are():
    assert (condition_text(And(())), condition_text(Or(()))) == ("true", "false")
    assert condition_text(Not(Or((Literal(TRUE), Literal(FALSE))))) == "!(true || false)"


def test_scalars_are_written_so_that_their_types_stay_apart():
    assert [scalar_text(v) for v in (True, 1, 1.0, "1")] == ["true", "1", "1.0", json.dumps("1")]


def test_arithmetic_keeps_its_grouping():
    whole = condition("r.sub.age - (r.obj.cost - 1) == 0 && r.sub.age - r.obj.cost - 1 == 0")
    assert isinstance(whole, And)
    first, second = whole.operands
    assert isinstance(first.left.right, Arithmetic)
    assert isinstance(second.left.left, Arithmetic)
    assert condition(condition_text(whole)) == whole
