"""A sweep of a hundred settings does again only what its parameter touches."""

from __future__ import annotations

import pytest

from abac.simulation.stress.engine import Engine
from tests.simulation.stress.stressed import stressed

STUDY = "d1-foreign-nationals"


@pytest.mark.parametrize(
    ("parameter", "low", "high", "atoms"),
    [
        ("coverage", 0.05, 0.95, 3),  # citizenships, residencies, protection
        ("misdeclared.citizenships_current", 0.1, 5.0, 1),
        ("attesting", 0.05, 0.95, 4),  # the three, and the organisation's country
        ("location.wrong", 0.01, 0.3, 0),  # which the directive does not read
        ("parity", 0.0, 0.9, 0),
        ("mix.agent", 0.5, 4.0, 0),
        ("bypass.breadth", 0.0, 0.9, 0),
    ],
)
def test_a_hundred_settings_evaluate_only_the_atoms_that_change(
    parameter: str, low: float, high: float, atoms: int
) -> None:
    engine = Engine(stressed(600))
    base = engine.stressed.base
    engine.tally(STUDY, base)
    bound = engine.bound(STUDY, "own")
    before = bound.evaluated
    for i in range(100):
        engine.tally(STUDY, base.with_values({parameter: low + (high - low) * i / 99}))
    assert bound.evaluated - before <= atoms * 100
    assert (bound.evaluated > before) == (atoms > 0)
