"""The columnar door: what it refuses, with the column and the row; what it takes for granted."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from abac.backends.columnar import Frame, decisions, obligations, truths
from abac.condition.expr import AnyOf, Attribute, Comparison, Constant, Holds, Order, SetConstant
from abac.condition.schema import Assurance, Category
from abac.condition.types import FLOAT, INT, STRING, SetType
from abac.errors import PopulationError
from abac.policy.rule import Algorithm, Policy
from tests.agreement.strategies import SCHEMA


def encode(**columns):
    return Frame.encode(pl.DataFrame({f"subject.{k}": v for k, v in columns.items()}), SCHEMA)


def test_null_inside_a_set_names_column_and_row():
    with pytest.raises(PopulationError, match=r"column `subject\.tags`, row 2: null inside a set") as refused:
        encode(tags=[["a"], ["b", None]])
    assert refused.value.diagnostics[0].span.line == 2


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_is_not_finite_names_column_and_row(number):
    with pytest.raises(PopulationError, match=r"column `subject\.weight`, row 3: not a finite number"):
        encode(weight=[0.0, None, number])


def test_a_nan_inside_a_set_names_the_row_of_the_frame():
    with pytest.raises(PopulationError, match=r"column `subject\.measures`, row 4"):
        encode(measures=[[1.0], [], None, [2.0, float("nan")]])


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("flag", [1]),
        ("age", [True]),
        ("age", [1.0]),
        ("age", ["1"]),
        ("name", [1]),
        ("weight", ["1"]),
        ("weight", [True]),
        ("tags", ["a"]),
        ("tags", [[1]]),
        ("seen", ["2026-06-18"]),
        ("seen", [datetime(2026, 6, 18)]),  # noqa: DTZ001  # without an offset on purpose
        ("colour", ["mauve"]),
        ("colours", [["mauve"]]),
        ("name", ["a\0"]),
    ],
)
def test_a_wrong_type_is_refused(column, values):
    with pytest.raises(PopulationError, match=rf"column `subject\.{column}`"):
        encode(**{column: values})


def test_an_integer_beyond_64_bits_is_refused():
    with pytest.raises(PopulationError, match="row 1: integer outside 64 bits"):
        encode(age=pl.Series([2**63], dtype=pl.UInt64))


def test_a_misspelt_column_is_refused_and_a_foreign_one_left_out():
    with pytest.raises(PopulationError, match=r"did you mean `subject\.weight`"):
        encode(wieght=[1.0])
    frame = Frame.encode(pl.DataFrame({"subject.age": [1], "pseudonym": ["x"]}), SCHEMA)
    assert list(frame.columns) == ["subject.age"]


@pytest.mark.parametrize("levels", [[4], [-1], ["verified"]])
def test_an_assurance_beyond_the_scale_is_refused(levels):
    with pytest.raises(PopulationError, match=r"subject\.age@assurance"):
        encode(**{"age": [1], "age@assurance": levels})


def test_elements_must_match_their_set():
    with pytest.raises(PopulationError, match=r"subject\.tags@elements`, row 2: not as long"):
        encode(**{"tags": [["a"], ["a", "b"]], "tags@elements": [[1], [1]]})


AGE = Comparison(Order.AT_LEAST, Attribute(Category.SUBJECT, "age", INT, Assurance.DOCUMENTED), Constant(18, INT))
TAGS = AnyOf(Attribute(Category.SUBJECT, "tags", SetType(STRING)), SetConstant(frozenset("x"), SetType(STRING)))


def test_defaults_stand_in_for_missing_marks():
    table = pl.DataFrame({"subject.age": [30], "subject.tags": [["a"]]})
    plain = Frame.encode(table, SCHEMA)
    told = Frame.encode(
        table, SCHEMA, assurance={"subject.age": Assurance.VERIFIED}, complete={"subject.tags": False}
    )
    assert [s.to_list() for s in truths([AGE, TAGS], plain, {}, {})] == [[None], [False]]
    assert [s.to_list() for s in truths([AGE, TAGS], told, {}, {})] == [[True], [None]]


def test_no_rows_and_columns_of_nothing():
    empty = Frame.encode(pl.DataFrame({"subject.age": [], "subject.tags": []}), SCHEMA)
    assert truths([AGE, TAGS], empty, {}, {})[0].to_list() == []
    root = Policy("p", Algorithm.FIRST_APPLICABLE)
    codes = decisions(root, empty, {}, {})
    assert codes.to_list() == []
    assert obligations(root, empty, {}, {}, codes) == {}
    absent = encode(age=[None, None], tags=[None, None], name=[None, None], flag=[None, None])
    assert [s.to_list() for s in truths([AGE, TAGS], absent, {}, {})] == [[None, None]] * 2


def test_quotients_are_rounded_once():
    """Polars divides by a literal as a product with its inverse: 5 / 49 would differ in the last place."""
    weight = Attribute(Category.SUBJECT, "weight", FLOAT)
    from abac.condition.expr import Arithmetic, Operator

    quotient = Arithmetic(Operator.DIVIDE, weight, Constant(49.0, FLOAT), FLOAT)
    for number in (5.0, 7.0, 10.0, 13.0):
        equal = Comparison(Order.EQUAL, quotient, Constant(number / 49.0, FLOAT))
        assert truths([equal], encode(weight=[number]), {}, {})[0].to_list() == [True]


def test_a_difference_of_instants_is_exact():
    from abac.condition.expr import Arithmetic, Operator
    from abac.condition.types import DATETIME

    seen, joined = (Attribute(Category.SUBJECT, n, DATETIME) for n in ("seen", "joined"))
    gap = Comparison(Order.EQUAL, Arithmetic(Operator.SUBTRACT, seen, joined, FLOAT), Constant(0.000003, FLOAT))
    frame = encode(
        seen=[datetime(2026, 6, 18, 0, 0, 0, 3, tzinfo=UTC)], joined=[datetime(2026, 6, 18, tzinfo=UTC)]
    )
    assert truths([gap], frame, {}, {})[0].to_list() == [True]


def test_many_rows_do_not_line_up_with_words():
    """Row counts around the 64 bits of a word, and the octet."""
    for rows in (1, 7, 8, 9, 63, 64, 65, 129):
        flags = [n % 3 == 0 if n % 5 else None for n in range(rows)]
        found = truths(
            [Holds(Attribute(Category.SUBJECT, "flag", SCHEMA["subject.flag"].type))], encode(flag=flags), {}, {}
        )
        assert found[0].to_list() == flags


def test_a_narrow_column_of_integers_meets_wide_values():
    """Found by Hypothesis: a column that fits 8 bits, looked for in sets of integers that do not."""
    from abac.condition.expr import Member
    from abac.condition.types import INT_MAX

    age, numbers = Attribute(Category.SUBJECT, "age", INT), Attribute(Category.SUBJECT, "numbers", SetType(INT))
    few = SetConstant(frozenset({1, INT_MAX}), SetType(INT))
    many = SetConstant(frozenset({1, INT_MAX, *range(300, 400)}), SetType(INT))
    frame = encode(age=[1, 2, None], numbers=[[1, INT_MAX], [300], [INT_MAX]])
    conditions = [
        Member(age, numbers),
        Member(age, few),
        Member(age, many),
        Comparison(Order.LESS, age, Constant(300, INT)),
        Comparison(Order.EQUAL, age, Constant(-INT_MAX, INT)),
    ]
    found = [s.to_list() for s in truths(conditions, frame, {}, {})]
    hit, miss = [True, False, None], [False, False, None]
    assert found == [hit, hit, hit, [True, True, None], miss]
