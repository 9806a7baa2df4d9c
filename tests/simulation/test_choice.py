"""Denied demand goes where the stated model of choice says; closed forms, and nothing is lost on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.simulation.catalogue import Model
from abac.simulation.change import Ask
from abac.simulation.choice import Choice, flows
from abac.simulation.displacement import NOWHERE, displaced, substitutes
from tests.simulation import june


def model(name: str, provider: str, price: float, popularity: float) -> Model:
    return Model(name, {"provider": provider}, price, popularity, {}, "", "")


LOST = model("lost", "a", 10.0, 0.5)
SAME = model("same", "a", 10.0, 0.3)
DEAR = model("dear", "b", 40.0, 0.3)
CHEAP = model("cheap", "b", 2.5, 0.3)


def going(choice: Choice, others: list[Model], requests: float = 100.0) -> dict[str, float]:
    access = [np.array([True]) for _ in others]
    return dict(flows(choice, [(LOST, np.array([requests]), others, access)]).to)


@pytest.mark.parametrize("stickiness", [0.5, 1.0, 3.0])
def test_stickiness_has_its_closed_form(stickiness: float) -> None:
    same = model("other", "b", 10.0, 0.3)
    found = going(Choice(stickiness, 0.0), [SAME, same])
    assert found["same"] == pytest.approx(100 * stickiness / (1 + stickiness))


@pytest.mark.parametrize("elasticity", [0.0, 0.5, 2.0])
def test_elasticity_has_its_closed_form(elasticity: float) -> None:
    found = going(Choice(1.0, elasticity), [DEAR, CHEAP])
    assert found["cheap"] / found["dear"] == pytest.approx((40 / 2.5) ** elasticity)


def test_what_is_dearer_and_where_it_goes_are_counted_apart() -> None:
    requests = np.array([10.0, 20.0, 40.0, 80.0])
    access = [np.array(row) for row in ([1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0])]
    found = flows(Choice(), [(LOST, requests, [SAME, DEAR, CHEAP], [a.astype(bool) for a in access])])
    assert found.denied == 150
    assert found.lost == 80
    assert found.only_dearer == 20
    assert found.dearer == pytest.approx(20 + 10 / 3)
    assert found.same_provider == pytest.approx(10 / 3)
    assert found.other_provider == pytest.approx(70 - 10 / 3)


@given(st.floats(0.1, 10), st.floats(0, 3), st.integers(0, 2**16), st.integers(1, 40))
def test_flows_sum_to_what_is_denied(stickiness: float, elasticity: float, seed: int, rows: int) -> None:
    random = np.random.default_rng(seed)
    access = [random.random(rows) < 0.5 for _ in range(3)]
    requests = random.integers(0, 50, rows).astype(float)
    found = flows(Choice(stickiness, elasticity), [(LOST, requests, [SAME, DEAR, CHEAP], access)])
    assert found.denied == requests.sum()
    assert found.lost + sum(found.to.values()) == pytest.approx(found.denied)
    assert found.same_provider + found.other_provider == pytest.approx(sum(found.to.values()))
    assert found.only_dearer <= found.dearer + 1e-9


def test_without_loyalty_and_price_it_is_the_report_s_model_up_to_whole_requests() -> None:
    catalogue = june.inputs(1_000).population.catalogue
    asks = [Ask(m, a) for m in catalogue.models for a in catalogue.actions]
    random = np.random.default_rng(7)
    access = [random.random(300) < 0.6 for _ in asks]
    blocked = [random.random(300) < 0.3 for _ in asks]
    weights = [random.integers(0, 30, 300).astype(np.uint32) for _ in asks]
    whole = displaced(asks, blocked, access, weights, "cyber", parity_shown=True).to
    denied = []
    for i, ask in enumerate(asks):
        others = substitutes(asks, i, "cyber", parity_shown=True)
        requests = np.where(blocked[i], weights[i], 0).astype(float)
        denied.append((ask.model, requests, [asks[j].model for j in others], [access[j] for j in others]))
    found = flows(Choice(), denied)
    assert whole[NOWHERE] == found.lost
    assert set(whole) - {NOWHERE} == {m for m, n in found.to.items() if n}
    patterns = 1 << 9
    for name, number in found.to.items():
        assert abs(number - whole[name]) < patterns


def test_a_model_without_a_price_counts_as_the_cheapest() -> None:
    free = model("free", "b", 0.0, 0.3)
    found = going(Choice(1.0, 1.0), [free, CHEAP])
    assert found["free"] == pytest.approx(found["cheap"])
