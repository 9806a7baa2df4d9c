import pytest

from abac.condition.check import MAX_DEPTH, MAX_NODES, check
from abac.condition.expr import (
    And,
    Attribute,
    Comparison,
    Condition,
    Constant,
    Definition,
    Holds,
    Not,
    Or,
    SetConstant,
    walk,
    within,
)
from abac.condition.functions import SHIPPED
from abac.condition.schema import Assurance, Category
from abac.condition.terms import Vocabulary
from abac.condition.types import DATETIME, FLOAT, INT, Kind, SetType
from abac.errors import Findings
from tests.reading import condition, error, errors, schema


def test_a_misspelt_attribute_is_found_with_its_place_and_what_was_meant():
    found = error('r.sub.age > 3 && r.sub.citizenship == "US"')
    assert (found.code, found.span.line, found.span.column) == ("unknown-attribute", 1, 18)
    assert "subject.citizenship" in found.message
    assert found.hint == "did you mean `citizenships`?"


def test_an_attribute_of_another_category_is_not_found():
    assert error("r.obj.age > 3").code == "unknown-attribute"


@pytest.mark.parametrize(
    ("text", "says", "column"),
    [
        ('r.sub.age == "3"', "cannot compare int with string", 14),
        ('"3" == r.sub.age', "cannot compare string with int", 8),
        ("r.sub.age == true", "cannot compare int with bool", 14),
        ("r.sub.flag == 1", "cannot compare bool with int", 15),
        ("r.sub.name == 1", "cannot compare string with int", 15),
        ('r.sub.country == "UK"', "`UK` is not a value of enum", 18),
        ('r.sub.tier > "medium"', "`medium` is not a value of ordered enum", 14),
        ("r.sub.flag > true", "needs an order", 12),
        ('r.sub.country < "US"', "needs an order", 15),
        ("r.sub.citizenships == r.sub.citizenships", "compares scalars", 20),
        ('r.sub.citizenships == {"US"}', "cannot compare set of enum with a written set", 23),
        ('r.sub.citizenships == "US"', "cannot compare set of enum with string", 23),
        ("r.sub.name == r.sub.country", "cannot compare string with enum", 15),
        ("r.sub.age", "a condition takes bool, got int", 1),
        ("{1, 2}", "a condition takes bool, got a written set", 1),
        ("!r.sub.name", "a condition takes bool, got string", 2),
        ("1", "a condition takes bool, got int", 1),
        ("r.sub.name + 1 == 2", "`+` needs numbers, got string", 1),
        ("r.sub.flag + 1 == 2", "`+` needs numbers, got bool", 1),
        ("r.sub.age + {1} == 2", "`+` needs numbers, got a written set", 13),
        ("r.sub.born - 1 > 2", "`-` needs numbers, got date-time", 1),
        ('r.sub.born - "noon" > 2', "`noon` is not an RFC 3339 date-time", 14),
        ('r.sub.born + "2026-06-12T00:00:00Z" > 2', "`+` needs numbers, got date-time", 1),
        ('r.sub.age - "2026-06-12T00:00:00Z" > 2', "`-` needs numbers, got string", 13),
        ("r.sub.born + r.sub.born > 2", "`+` needs numbers, got date-time", 1),
        ('r.sub.name in "US"', "`in` needs a set", 15),
        ('"x" in ("abc")', "`in` needs a set", 9),
        ("r.sub.age in r.sub.tags", "cannot look for int in set of string", 1),
        ('1 in {"a"}', "expected int, got str 'a'", 6),
        ('r.sub.country in {"FR", "UK"}', "`UK` is not a value of enum", 18),
        ("any_of(r.sub.tags, r.sub.marks)", "no elements in common", 1),
        ('any_of(r.sub.name, {"a"})', "expected a set, got string", 8),
        ('all_of(r.sub.citizenships, {"UK"})', "`UK` is not a value of enum", 28),
        ("keyMatch(r.sub.name)", "takes 2 arguments, got 1", 1),
        ("keyMatch(r.sub.age, r.sub.name)", "`keyMatch` takes string, got int", 10),
        ("keyMatch({1}, r.sub.name)", "`keyMatch` takes string, got a written set", 10),
        ("lower(r.sub.name)", "a condition takes bool, got string", 1),
        ('r.env.now > "yesterday"', "not an RFC 3339 date-time", 13),
        ('r.env.now > "2026-06-12T00:00:00"', "no offset", 13),
        ("r.sub.age < 9999999999999999999", "outside 64 bits", 13),
        ("r.sub.age + 9223372036854775808 > 1", "outside 64 bits", 13),
        (r'r.sub.name == "a\0b"', "NUL character", 15),
        (r'r.sub.name in {"a\0b"}', "NUL character", 15),
        ("r.sub.age in {1.5}", "expected int, got float 1.5", 14),
    ],
)
def test_a_type_clash_is_found_at_the_term_that_clashes(text, says, column):
    found = error(text)
    assert says in found.message
    assert found.span.column == column


def test_a_misspelt_enum_value_and_function_are_hinted_at():
    assert error('r.sub.tier == "hihg"').hint == "did you mean `high`?"
    assert error("keymatch(r.sub.name, r.sub.name)").hint == "did you mean `keyMatch`?"
    assert error("anyof(r.sub.tags, r.sub.tags)").hint == "did you mean `any_of`?"


def test_all_errors_of_a_condition_come_at_once_in_order():
    found = errors('r.sub.agee > 1 && (r.sub.flag == "x" || !(r.sub.countri == "US")) && keyMach(r.sub.name, "a")')
    assert [d.span.column for d in found] == [1, 34, 43, 70]
    assert [d.code for d in errors("r.sub.agee == r.sub.nme")] == ["unknown-attribute", "unknown-attribute"]


def test_a_constant_takes_the_type_of_what_it_meets():
    weight, born = condition("r.sub.weight > 3"), condition('"2026-06-12T02:00:00+02:00" < r.sub.born')
    assert isinstance(weight, Comparison)
    assert isinstance(born, Comparison)
    assert weight.right == Constant(3.0, FLOAT)
    assert born.left.type == DATETIME
    assert str(born.left.value) == "2026-06-12 00:00:00+00:00"
    tier = condition('r.sub.tier in {"low", "mid"}')
    assert tier.collection.type == SetType(schema()["subject.tier"].type)


@pytest.mark.parametrize(
    "text", ['r.env.now - "2026-06-12T00:00:00Z" < 3600', '"2026-06-12T00:00:00Z" - r.env.now < 3600']
)
def test_a_text_beside_a_date_time_it_is_subtracted_from_is_a_date_time(text):
    gap = condition(text).left
    assert gap.type == FLOAT
    assert gap.left.type == gap.right.type == DATETIME
    assert check(condition(text), _vocabulary(), Findings()) == condition(text)


@pytest.mark.parametrize(
    ("text", "says", "column"),
    [
        ('regexMatch(r.sub.name, "a(?=b)")', "look-ahead is refused: regular expressions are RE2's", 24),
        (r'regexMatch(r.sub.name, "(a)\\1")', "a back-reference or octal escape is refused", 24),
        ('r.sub.flag && !regexMatch("a", "(")', "RE2's, so that a decision cannot be stalled", 32),
        ('globMatch(r.sub.name, "[a")', "does not end", 23),
        ('ipMatch(r.sub.name, "10.0.0.0/33")', "no network", 21),
        ('ipMatch("localhost", r.sub.name)', "no IP address", 9),
        ('keyMatch2(r.sub.name, "/a+")', "write regexMatch, at character 3 of the pattern", 23),
        ('keyGet3(r.sub.name, "/(a)", "x") == "y"', "write regexMatch", 21),
    ],
)
def test_a_constant_that_a_function_can_make_nothing_of_is_refused_at_its_place(text, says, column):
    found = error(text)
    assert says in found.message
    assert (found.code, found.span.line, found.span.column) == ("refused", 1, column)


def test_a_pattern_that_is_not_constant_is_not_refused_before_it_is_known():
    assert condition("regexMatch(r.sub.name, r.sub.organisation) && ipMatch(lower(r.sub.name), r.sub.name)")


def test_the_smallest_integer_can_be_written_and_the_next_cannot():
    assert condition("r.sub.age == -9223372036854775808").right == Constant(-(2**63), INT)
    assert error("r.sub.age == -9223372036854775809").message == "integer outside 64 bits"


def test_demands_reach_every_attribute_and_no_other():
    least = {"subject.country": Assurance.DOCUMENTED}
    typed = check(condition('r.sub.country == "US" && r.sub.flag'), _vocabulary().demanding(least), Findings())
    found = {n.path: n.least for n in walk(typed) if isinstance(n, Attribute)}
    assert found == {"subject.country": Assurance.DOCUMENTED, "subject.flag": Assurance.INFERRED}


def test_checking_a_checked_condition_changes_nothing():
    typed = condition(
        'r.sub.tier > "low" && r.sub.weight < 1 && r.env.now - r.sub.born > 1.5 && any_of(r.sub.marks, {1})'
        ' && r.sub.born > "2026-06-12T00:00:00Z" && keyMatch(r.sub.country, "U*")'
    )
    assert check(typed, _vocabulary(), Findings()) == typed


def test_doubling_definitions_are_measured_without_being_written_out():
    whole: Condition = Definition("person", "x@1")
    for _ in range(200):
        whole = And((whole, whole))
    assert not within(whole, 1_000, 1_000)


def test_a_condition_is_within_its_own_depth_and_size_and_no_less():
    whole = And((Definition("person", "a@1"), Not(Definition("person", "b@1"))))
    assert within(whole, 3, 4)
    assert not within(whole, 2, 4)
    assert not within(whole, 3, 3)


def test_a_condition_that_grows_beyond_bounds_is_refused_at_once():
    whole: Condition = Holds(Attribute(Category.SUBJECT, "flag"))
    while within(whole, MAX_DEPTH, MAX_NODES):
        whole = And((whole, whole))
    assert _refusal(whole) == "too-large"


def test_a_condition_that_nests_beyond_bounds_is_refused_and_one_within_is_not():
    fine: Condition = Holds(Attribute(Category.SUBJECT, "flag"))
    for _ in range(MAX_DEPTH - 2):
        fine = Not(fine)
    assert check(fine, _vocabulary(), Findings()) is not None
    assert _refusal(Not(fine)) == "too-large"
    deep = fine
    for _ in range(100_000):
        deep = Or((deep,))
    assert _refusal(deep) == "too-large"


def test_an_enum_is_text_where_a_function_wants_text():
    assert condition('keyMatch(r.sub.country, "U*")').term.arguments[0].type.kind is Kind.ENUM


def test_a_written_set_takes_its_type_from_the_other_side():
    for text in ('any_of({"US"}, r.sub.citizenships)', 'any_of(r.sub.citizenships, {"US"})'):
        whole = condition(text)
        sets = [s for s in (whole.left, whole.right) if isinstance(s, SetConstant)]
        assert sets[0].type == schema()["subject.citizenships"].type


def _vocabulary() -> Vocabulary:
    return Vocabulary(schema(), SHIPPED)


def _refusal(whole: Condition) -> str:
    findings = Findings()
    assert check(whole, _vocabulary(), findings) is None
    (found,) = findings.errors
    return found.code
