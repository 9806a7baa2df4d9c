"""What is on file of a brought population stands for the truth from a stated assurance on, and not below it."""

from dataclasses import replace

import polars as pl
import pytest

from abac.condition.schema import Assurance
from abac.simulation.held import held_true
from abac.simulation.run import run
from tests.simulation.test_brought_bounds import CITIZENSHIPS, PROTECTED, RESIDENCIES, Row, population, studied

CITIZEN = {CITIZENSHIPS: frozenset({"US"}), RESIDENCIES: frozenset(), PROTECTED: False}
FOREIGN = CITIZEN | {CITIZENSHIPS: frozenset({"CN"})}
ROWS = [Row(facts=CITIZEN), Row(facts=FOREIGN), Row(facts=FOREIGN)]


def over_block(level: Assurance, held_true: Assurance):
    """How many people d1 blocks who are not in its scope, where all that is on file has one assurance."""
    brought = population(ROWS)
    on_file = dict.fromkeys(brought.assurance, level)
    report = run(replace(studied(), population=replace(brought, assurance=on_file, held_true=held_true))).report
    own = [e for e in report["directives"] if e["id"] == "d1-foreign-nationals" and e["posture"] == "strict"]
    return next(e for e in own if e["yardstick"] == "scope")["over_block"]["people"]


def bounds(low: int, high: int):
    return {"low": low, "high": high, "point": None}


@pytest.mark.parametrize("level", [Assurance.DECLARED, Assurance.DOCUMENTED, Assurance.VERIFIED])
def test_values_at_or_above_it_settle_who_is_in_the_target(level):
    blocked_wrongly = (
        0 if level >= Assurance.DOCUMENTED else 1
    )  # d1 accepts documented: below it nobody is decided
    assert over_block(level, Assurance.DECLARED) == bounds(blocked_wrongly, blocked_wrongly)


def test_values_below_it_settle_nothing():
    assert over_block(Assurance.DECLARED, Assurance.DOCUMENTED) == bounds(0, 3)
    assert over_block(Assurance.INFERRED, Assurance.DECLARED) == bounds(0, 3)


def test_even_inferred_values_settle_it_where_that_is_stated():
    assert over_block(Assurance.INFERRED, Assurance.INFERRED) == bounds(1, 1)


def test_an_element_below_it_is_not_held_true_though_its_set_is():
    """Documented citizenships of which that of the US is but inferred settle nothing about a US citizen."""
    brought = population(ROWS[:1])
    path = f"subject.{CITIZENSHIPS}" if f"subject.{CITIZENSHIPS}" in brought.asserted.columns else CITIZENSHIPS
    elements = pl.Series(f"{path}@elements", [[int(Assurance.INFERRED)]], pl.List(pl.UInt8))
    weak = replace(
        brought,
        asserted=brought.asserted.with_columns(elements),
        assurance=dict.fromkeys(brought.assurance, Assurance.DOCUMENTED),
    )
    held = held_true(weak)
    assert held[path].to_list() == [[]]
    assert held[f"{path}@complete"].to_list() == [False]
    assert held_true(replace(weak, held_true=Assurance.INFERRED))[path].to_list() == [["US"]]
    report = run(replace(studied(), population=weak)).report
    found = next(e for e in report["directives"] if e["id"] == "d1-foreign-nationals" and e["posture"] == "strict")
    assert found["over_block"]["people"] == bounds(0, 1)
