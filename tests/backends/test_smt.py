"""Every line of the SMT back end's ledger by an example, and its parts where they are not plain."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.backends.ledger import Standing, gaps
from abac.backends.smt import NO, YES, Circuit, Guard, Halted, Reading, Solver, World
from abac.backends.smt.cells import cells
from abac.backends.smt.reading import Form
from abac.backends.smt.steps import between
from abac.condition.expr import (
    AnyOf,
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Constant,
    Definition,
    Field,
    Holds,
    Member,
    Operator,
    Order,
    SetConstant,
)
from abac.condition.functions import SHIPPED
from abac.condition.schema import Assurance, Category
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, INT_MAX, INT_MIN, STRING, Kind, ScalarType, SetType

COLOUR = ScalarType(Kind.ENUM, ("red", "green", "blue"), "colour")


def attribute(name, kind, least=Assurance.INFERRED):
    return Attribute(Category.SUBJECT, name, kind, least)


AGE, YEARS, WEIGHT, NAME = (
    attribute("age", INT),
    attribute("years", INT),
    attribute("w", FLOAT),
    attribute("n", STRING),
)
TAGS, LABELS = attribute("tags", SetType(STRING)), attribute("labels", SetType(STRING))


def forms(*conditions):
    reading = Reading(SHIPPED)
    reading.read(conditions)
    return [reading.forms[c] for c in conditions]


# --- the ledger ----------------------------------------------------------------------------------------------


def test_the_ledger_has_these_lines():
    lines = [(g.node, g.standing) for g in gaps("smt")]
    assert lines == [
        ("Definition", Standing.REFUSED),
        ("Field", Standing.REFUSED),
        ("Arithmetic", Standing.BOUNDED),
        ("Comparison", Standing.BOUNDED),
        ("Call", Standing.BOUNDED),
    ]


def test_a_definition_is_refused():
    with pytest.raises(AssertionError, match="not linked"):
        World([Definition("person", "p@1")], SHIPPED)


def test_a_field_is_refused():
    with pytest.raises(AssertionError, match="not linked"):
        World([Comparison(Order.EQUAL, NAME, Field("sub"))], SHIPPED)


def test_arithmetic_is_open_and_each_place_answers_by_itself():
    test = Comparison(Order.LESS, Arithmetic(Operator.ADD, AGE, YEARS, INT), Constant(5, INT))
    world = World([test], SHIPPED)
    one, other = (world.lowering.pair(test, world.asserted) for _ in range(2))
    assert [o.computes for o in world.lowering.opens] == [True, True]
    assert one != other


def test_an_int_against_a_double_is_open():
    test = Comparison(Order.LESS, AGE, WEIGHT)
    world = World([test], SHIPPED)
    assert world.lowering.pair(test, world.asserted) != world.lowering.pair(test, world.asserted)
    assert world.lowering.opens[0].computes


def test_a_call_is_open_and_answers_alike_wherever_it_stands():
    call = Holds(Call("startsWith", (NAME, Constant("a", STRING)), BOOL))
    asked = Holds(Call("startsWith", (attribute("n", STRING, Assurance.VERIFIED), Constant("a", STRING)), BOOL))
    world = World([call, asked], SHIPPED)
    pairs = [world.lowering.pair(c, world.asserted) for c in (call, call, asked)]
    assert pairs[0] == pairs[1] != pairs[2]
    assert len(world.lowering.opens) == 1


def test_calls_and_arithmetic_on_finitely_many_values_are_exact():
    call = Holds(Call("keyMatch", (attribute("colour", COLOUR), Constant("r*", STRING)), BOOL))
    assert forms(call) == [Form.TABLE]
    world = World([call], SHIPPED)
    world.lowering.pair(call, world.asserted)
    assert not world.lowering.opens


def test_what_is_plain():
    plain = [
        Comparison(Order.LESS, AGE, YEARS),
        Comparison(Order.LESS, AGE, Constant(1.5, FLOAT)),
        Comparison(Order.EQUAL, WEIGHT, Constant(2**53 + 1, INT)),
        Member(NAME, TAGS),
        AnyOf(TAGS, LABELS),
        Member(Constant("a", STRING), TAGS),
    ]
    assert forms(*plain) == [Form.PLAIN] * len(plain)


# --- cells ---------------------------------------------------------------------------------------------------


def made(*conditions):
    reading = Reading(SHIPPED)
    reading.read(conditions)
    return cells(reading)


def test_values_that_no_test_tells_apart_are_one_cell():
    countries = ScalarType(Kind.ENUM, tuple(f"c{n}" for n in range(200)), "country")
    where = attribute("where", countries)
    listed = SetConstant(frozenset(countries.values[:50]), SetType(countries))
    found = made(Member(where, listed), Comparison(Order.EQUAL, where, Constant("c7", countries)))["subject.where"]
    assert len(found) == 3
    assert sorted(c.single for c in found.cells) == [False, False, True]


def test_a_threshold_has_a_cell_on_each_side():
    found = made(Comparison(Order.AT_LEAST, AGE, Constant(18, INT)))["subject.age"]
    assert [c.values[0] for c in found.cells] == [16, 18, 19]
    assert made(Comparison(Order.LESS, AGE, Constant(INT_MIN, INT)))["subject.age"].firsts[0] == INT_MIN


def test_attributes_that_meet_share_cells_of_one_value():
    found = made(Comparison(Order.EQUAL, NAME, attribute("alias", STRING)))
    assert found["subject.n"] is found["subject.alias"]
    assert all(c.single for c in found["subject.n"].cells)


POINTS = {
    INT: st.integers(INT_MIN, INT_MAX),
    FLOAT: st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0),
    STRING: st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3),
    DATETIME: st.datetimes(timezones=st.just(UTC)),
}


@given(st.sampled_from(sorted(POINTS, key=str)).flatmap(lambda k: st.tuples(st.just(k), POINTS[k], POINTS[k])))
def test_between_lies_between_and_is_as_much_as_there_is(drawn):
    kind, one, other = drawn
    low, high = sorted((one, other))
    for bounds in ((low, high), (None, low), (high, None)):
        found = between(kind, *bounds, 3)
        assert found == sorted(set(found))
        assert all((bounds[0] is None or bounds[0] < v) and (bounds[1] is None or v < bounds[1]) for v in found)
    if kind == INT:
        assert len(between(INT, low, high, 3)) == max(0, min(3, high - low - 1))


def test_neighbours_have_nothing_between_them():
    assert between(FLOAT, 0.0, 5e-324, 2) == []
    assert between(STRING, "a", "a\x01", 2) == []
    assert between(DATETIME, None, datetime(1, 1, 1, tzinfo=UTC), 2) == []


# --- circuit and solver --------------------------------------------------------------------------------------


def test_gates_are_built_once_and_complements_cancel():
    circuit = Circuit()
    a, b = circuit.variable(), circuit.variable()
    assert circuit.all((a, b)) == circuit.all((b, a, a, YES))
    assert circuit.all((a, -a)) == NO
    assert circuit.any((a, -a)) == YES
    assert circuit.all(()) == YES
    assert circuit.any(()) == NO
    assert circuit.same(a, a) == YES


def pigeonholes(circuit, holes):
    """One pigeon more than there are holes: no model, and no short proof by resolution (Haken, 1985)."""
    nests = [[circuit.variable() for _ in range(holes)] for _ in range(holes + 1)]
    laws = [circuit.any(row) for row in nests]
    for hole in range(holes):
        laws += [-circuit.all((nests[i][hole], nests[j][hole])) for i in range(holes + 1) for j in range(i)]
    return laws


def test_a_hard_formula_comes_back_without_an_answer():
    circuit = Circuit()
    with Guard(0.5) as guard:
        solver = Solver(circuit, guard)
        solver.add(pigeonholes(circuit, 14))
        assert solver.solve([]) is None
        assert solver.why == "the time is up"


def test_an_easy_one_is_answered():
    circuit = Circuit()
    with Guard(60) as guard:
        solver = Solver(circuit, guard)
        solver.add(pigeonholes(circuit, 4))
        assert solver.solve([]) is False


def test_building_stops_when_the_time_is_up_or_it_grows_too_large():
    for circuit, reason in ((Circuit(lambda: True), "the time is up"), (Circuit(most=100), "more than 100 gates")):
        literals = [circuit.variable() for _ in range(200)]
        with pytest.raises(Halted, match=reason):
            circuit.all([circuit.all((a, b)) for a in literals for b in literals])
