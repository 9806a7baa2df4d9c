"""The cheapest second source is the cheapest there is, and it serves everybody who can be served."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from abac.compiler.program import select
from abac.simulation.catalogue import Model
from abac.simulation.change import Columns
from abac.simulation.dependence import dependence
from abac.simulation.measures import Units
from abac.simulation.second_source import MOST_EXACT, cheapest, second_sources
from abac.simulation.study import Studied, us_persons
from tests.simulation import june

prices = st.lists(st.integers(0, 20).map(float), min_size=1, max_size=6)


def models(found: list[float]) -> list[Model]:
    return [Model(f"m{i}", {"provider": "p"}, price, 0.1, {}, "", "") for i, price in enumerate(found)]


@given(prices, st.data())
def test_no_set_of_models_is_cheaper(found: list[float], data: st.DataObject) -> None:
    candidates = models(found)
    needs = data.draw(st.lists(st.integers(1, 2 ** len(candidates) - 1), max_size=8))
    cover = cheapest(needs, candidates)
    assert cover.exact
    chosen = sum(1 << candidates.index(m) for m in cover.models)
    assert all(need & chosen for need in needs)
    for size in range(len(candidates) + 1):
        for some in combinations(range(len(candidates)), size):
            mask = sum(1 << bit for bit in some)
            if all(need & mask for need in needs):
                assert sum(candidates[bit].price for bit in some) >= cover.price


def test_nobody_in_need_needs_nothing() -> None:
    assert cheapest([], models([1.0, 2.0])).models == ()


def test_beyond_the_exact_it_serves_everybody_and_says_so() -> None:
    candidates = models([float(i + 1) for i in range(MOST_EXACT + 2)])
    needs = [1 << i | 1 << (i + 1) for i in range(MOST_EXACT)]
    cover = cheapest(needs, candidates)
    chosen = sum(1 << candidates.index(m) for m in cover.models)
    assert not cover.exact
    assert all(need & chosen for need in needs)


def test_who_goes_dark_is_whom_the_report_finds_dependent() -> None:
    inputs = june.inputs(2_000)
    study = june.study("d1-foreign-nationals", 2_000)
    columns = Columns.of(inputs.population, inputs.read)
    test = inputs.program.persons[inputs.scenario.us_person_is_not].condition
    studied = Studied(
        study, columns, Units(inputs.population), inputs.scenario, us_persons(test, inputs.program, columns)
    )
    reported = {(r["provider"], r["tier"]): r for r in dependence(inputs.scenario, studied)}
    rows = second_sources(inputs.scenario, select(inputs.program, ()), inputs.population)
    mine = {(r["provider"], r["tier"]): r for r in rows if r["parity"] == "not shown"}
    assert set(mine) == set(reported)
    for key, row in mine.items():
        assert row["employers_dark"] == reported[key]["employers_dark"]
        assert row["users"] == reported[key]["users"]
        assert row["exact"]
    assert any(row["models"] for row in rows)
    # at the top tier nobody else is as good unless parity is shown: then there is a second source
    top = {r["parity"]: r for r in rows if (r["provider"], r["tier"]) == ("anthropic", 5)}
    assert top["not shown"]["candidates"] == []
    assert top["not shown"]["beyond_help"] == top["not shown"]["users"] > 0
    assert top["shown"]["models"] == ["gpt-5.5"]
    assert np.isclose(top["shown"]["price"], 30)
